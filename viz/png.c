/* png.c - PNG through libpng: its low half to write and for texts, its simple half to read.
 */
#include "viz/png.h"

#include <errno.h>
#include <png.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SIDE_MAX = 16384, RGB = 3, COMPRESSION = 6, REASON_MAX = 160 };

/* libpng's own would print. The reason is kept where the caller of libpng finds it. */
static void on_error(png_structp png, png_const_charp message) {
    char *reason = png_get_error_ptr(png);
    snprintf(reason, REASON_MAX, "%s", message);
    png_longjmp(png, 1);
}
static void on_warning(png_structp png, png_const_charp message) {
    (void)png, (void)message;
}

static bool is_ascii(const char *text) {
    while (*text && !(*text & 0x80)) text++;
    return !*text;
}

static void set_texts(png_structp png, png_infop info, const VizPngText *texts, int32_t count) {
    for (int32_t i = 0; i < count; i++) {
        png_text text = {0};
        text.compression =
            is_ascii(texts[i].value) ? PNG_TEXT_COMPRESSION_NONE : PNG_ITXT_COMPRESSION_NONE;
        text.key = (char *)texts[i].key; /* libpng copies and does not write */
        text.text = (char *)texts[i].value;
        png_set_text(png, info, &text, 1);
    }
}

static void set_row(png_bytep row, const VizImage *image, int32_t y) {
    const uint32_t *pixels = image->pixels + (ptrdiff_t)y * image->stride;
    for (int32_t x = 0; x < image->width; x++) {
        row[RGB * x] = (png_byte)(pixels[x] >> 16);
        row[RGB * x + 1] = (png_byte)(pixels[x] >> 8);
        row[RGB * x + 2] = (png_byte)pixels[x];
    }
}

/* Nothing here changes after setjmp that is used behind it. */
static bool encode(FILE *file, png_bytep row, const VizImage *image, const VizPngText *texts,
                   int32_t text_count, char *reason) {
    png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, reason, on_error, on_warning);
    png_infop info = png ? png_create_info_struct(png) : NULL;
    if (!info || setjmp(png_jmpbuf(png))) {
        png_destroy_write_struct(&png, &info);
        return false;
    }
    png_init_io(png, file);
    png_set_compression_level(png, COMPRESSION);
    png_set_filter(png, PNG_FILTER_TYPE_BASE, PNG_FILTER_NONE); /* flat areas repeat as they are */
    png_set_IHDR(png, info, (png_uint_32)image->width, (png_uint_32)image->height, 8,
                 PNG_COLOR_TYPE_RGB, PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_DEFAULT,
                 PNG_FILTER_TYPE_DEFAULT);
    set_texts(png, info, texts, text_count);
    png_write_info(png, info);
    for (int32_t y = 0; y < image->height; y++) {
        set_row(row, image, y);
        png_write_row(png, row);
    }
    png_write_end(png, NULL);
    png_destroy_write_struct(&png, &info);
    return true;
}

bool viz_png_write(const char *path, const VizImage *image, const VizPngText *texts,
                   int32_t text_count, TspError *err) {
    char reason[REASON_MAX] = "out of memory";
    size_t size = strlen(path) + sizeof ".tmp";
    char *temporary = malloc(size);
    png_bytep row = malloc((size_t)image->width * RGB);
    FILE *file = NULL;
    bool ok = temporary && row;
    if (ok) {
        snprintf(temporary, size, "%s.tmp", path);
        file = fopen(temporary, "wb");
        ok = file && encode(file, row, image, texts, text_count, reason);
        if (!file) snprintf(reason, sizeof reason, "%s", strerror(errno));
    }
    if (file && fclose(file) != 0 && ok) {
        ok = false;
        snprintf(reason, sizeof reason, "%s", strerror(errno));
    }
    if (ok && rename(temporary, path) != 0) {
        ok = false;
        snprintf(reason, sizeof reason, "%s", strerror(errno));
    }
    if (!ok) {
        if (file) remove(temporary);
        tsp_fail(err, TSP_ERR_SYSTEM, "%s: cannot write it (%s); check the folder and free space",
                 path, reason);
    }
    free(row);
    free(temporary);
    return ok;
}

bool viz_png_read(const char *path, VizImage *image, TspError *err) {
    static const png_color black = {0, 0, 0};
    png_image source = {.version = PNG_IMAGE_VERSION};
    png_bytep rgb = NULL;
    bool ok;
    *image = (VizImage){0};
    if (!png_image_begin_read_from_file(&source, path))
        return tsp_fail(err, TSP_ERR_INPUT, "%s: cannot read it as PNG (%s)", path, source.message);
    if (source.width > SIDE_MAX || source.height > SIDE_MAX) {
        png_image_free(&source);
        return tsp_fail(err, TSP_ERR_INPUT, "%s: more than %d pixels wide or high; make it smaller",
                        path, SIDE_MAX);
    }
    source.format = PNG_FORMAT_RGB;
    ok = viz_image_new(image, (int32_t)source.width, (int32_t)source.height, err);
    if (ok) {
        rgb = malloc(PNG_IMAGE_SIZE(source));
        if (!rgb) {
            ok = tsp_fail(err, TSP_ERR_SYSTEM, "%s: out of memory", path);
        } else if (!png_image_finish_read(&source, &black, rgb, 0, NULL)) {
            ok = tsp_fail(err, TSP_ERR_INPUT, "%s: cannot read it as PNG (%s)", path,
                          source.message);
        }
    }
    for (ptrdiff_t i = 0; ok && i < (ptrdiff_t)image->width * image->height; i++)
        image->pixels[i] = 0xff000000u | (uint32_t)rgb[RGB * i] << 16 |
                           (uint32_t)rgb[RGB * i + 1] << 8 | rgb[RGB * i + 2];
    if (!ok) viz_image_free(image);
    free(rgb);
    png_image_free(&source);
    return ok;
}

static void find_text(png_structp png, png_infop info, const char *key, char **value) {
    png_textp texts;
    int count = 0;
    png_get_text(png, info, &texts, &count);
    for (int i = 0; i < count && !*value; i++)
        if (strcmp(texts[i].key, key) == 0) *value = strdup(texts[i].text);
}

/* Nothing here changes after setjmp that is used behind it. */
static void decode_text(FILE *file, const char *key, char **value) {
    char reason[REASON_MAX];
    png_structp png = png_create_read_struct(PNG_LIBPNG_VER_STRING, reason, on_error, on_warning);
    png_infop info = png ? png_create_info_struct(png) : NULL;
    if (info && !setjmp(png_jmpbuf(png))) {
        png_init_io(png, file);
        png_read_info(png, info); /* our texts stand before the pixels */
        find_text(png, info, key, value);
    }
    png_destroy_read_struct(&png, &info, NULL);
}

char *viz_png_read_text(const char *path, const char *key) {
    char *value = NULL;
    FILE *file = fopen(path, "rb");
    if (!file) return NULL;
    decode_text(file, key, &value);
    fclose(file);
    return value;
}
