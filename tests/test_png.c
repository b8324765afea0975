/* test_png.c - pictures come back as they were written; the same ones make the same bytes.
 */
#include "viz/png.h"

#include "suite.h"
#include <string.h>

enum { W = 33, H = 17, STRIDE = 40, FILE_MAX = 1 << 16 };

static uint32_t pixels[H * STRIDE];
static const VizImage picture = {pixels, W, H, STRIDE};
static char path[SCRATCH_PATH], temporary[SCRATCH_PATH + 8];

static void make_picture(void) {
    for (uint32_t i = 0; i < H * STRIDE; i++) pixels[i] = i * 2654435761u; /* any alpha */
    scratch_file(path);
    snprintf(temporary, sizeof temporary, "%s.tmp", path);
}
static void remove_picture(void) {
    remove(path);
}

static size_t read_bytes(uint8_t *bytes) {
    FILE *file = fopen(path, "rb");
    size_t length;
    ck_assert_ptr_nonnull(file);
    length = fread(bytes, 1, FILE_MAX, file);
    fclose(file);
    return length;
}

static void write_bytes(const uint8_t *bytes, size_t length) {
    FILE *file = fopen(path, "wb");
    ck_assert_ptr_nonnull(file);
    ck_assert_uint_eq(fwrite(bytes, 1, length, file), length);
    fclose(file);
}

static void write_picture(const VizPngText *texts, int32_t count) {
    TspError err = {0};
    ck_assert_msg(viz_png_write(path, &picture, texts, count, &err), "%s", err.text);
}

START_TEST(pixels_come_back) {
    TspError err = {0};
    VizImage got;
    write_picture(NULL, 0);
    ck_assert_msg(viz_png_read(path, &got, &err), "%s", err.text);
    ck_assert_int_eq(got.width, W);
    ck_assert_int_eq(got.height, H);
    ck_assert_int_eq(got.stride, W);
    for (int32_t y = 0; y < H; y++)
        for (int32_t x = 0; x < W; x++)
            ck_assert_uint_eq(got.pixels[y * W + x], 0xff000000u | pixels[y * STRIDE + x]);
    viz_image_free(&got);
    ck_assert_ptr_null(got.pixels);
    ck_assert_int_ne(access(temporary, F_OK), 0);
}
END_TEST

START_TEST(texts_come_back) {
    static const VizPngText texts[] = {{"Software", "tsp view \"a b\" --at 17"},
                                       {"Description", "17 \xc2\xb5s \xe2\x86\x92"}};
    char *value;
    write_picture(texts, 2);
    value = viz_png_read_text(path, "Software");
    ck_assert_str_eq(value, texts[0].value);
    free(value);
    value = viz_png_read_text(path, "Description");
    ck_assert_str_eq(value, texts[1].value);
    free(value);
    ck_assert_ptr_null(viz_png_read_text(path, "Author"));
    ck_assert_ptr_null(viz_png_read_text("/nowhere/x.png", "Software"));
}
END_TEST

START_TEST(the_same_picture_makes_the_same_bytes) {
    static const VizPngText text = {"Software", "tsp"};
    static uint8_t first[FILE_MAX], second[FILE_MAX];
    size_t length;
    write_picture(&text, 1);
    length = read_bytes(first);
    ck_assert_uint_gt(length, 8);
    write_picture(&text, 1);
    ck_assert_uint_eq(read_bytes(second), length);
    ck_assert_mem_eq(first, second, length);
    for (size_t i = 0; i + 4 < length; i++) ck_assert(memcmp(first + i, "tIME", 4) != 0);
}
END_TEST

START_TEST(a_failed_write_leaves_the_old_file) {
    TspError err = {0};
    VizImage none = picture;
    ck_assert(!viz_png_write("/nowhere/x.png", &picture, NULL, 0, &err));
    ck_assert_int_eq(err.kind, TSP_ERR_SYSTEM);
    ck_assert_str_eq(err.text, "/nowhere/x.png: cannot write it (No such file or directory); check "
                               "the folder and free space");
    write_bytes((const uint8_t *)"old", 3);
    none.height = 0; /* no PNG is so small */
    ck_assert(!viz_png_write(path, &none, NULL, 0, &err));
    ck_assert_ptr_nonnull(strstr(err.text, "Invalid IHDR data"));
    ck_assert_int_ne(access(temporary, F_OK), 0);
    ck_assert_uint_eq(read_bytes((uint8_t[FILE_MAX]){0}), 3);
}
END_TEST

START_TEST(what_is_no_png_is_refused) {
    static uint8_t bytes[FILE_MAX];
    TspError err = {0};
    VizImage got = picture;
    size_t length;
    ck_assert(!viz_png_read("/nowhere/x.png", &got, &err));
    ck_assert_int_eq(err.kind, TSP_ERR_INPUT);
    ck_assert_ptr_null(got.pixels);
    write_picture(NULL, 0);
    length = read_bytes(bytes);
    write_bytes(bytes, length / 2);
    ck_assert(!viz_png_read(path, &got, &err));
    ck_assert_int_eq(err.kind, TSP_ERR_INPUT);
    ck_assert_ptr_null(got.pixels);
    bytes[length / 2] ^= 1; /* the checksum notices */
    write_bytes(bytes, length);
    ck_assert(!viz_png_read(path, &got, &err));
    write_bytes((const uint8_t *)"P6 1 1 255 abc", 14);
    ck_assert(!viz_png_read(path, &got, &err));
    ck_assert_ptr_null(viz_png_read_text(path, "Software"));
}
END_TEST

START_TEST(impossible_images_are_refused) {
    TspError err = {0};
    VizImage got;
    ck_assert(!viz_image_new(&got, 0, 5, &err));
    ck_assert_int_eq(err.kind, TSP_ERR_SYSTEM);
    ck_assert(!viz_image_new(&got, 5, -5, &err));
    ck_assert_ptr_null(got.pixels);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("png");
    TCase *all = tcase_create("all");
    tcase_add_checked_fixture(all, make_picture, remove_picture);
    tcase_add_test(all, pixels_come_back);
    tcase_add_test(all, texts_come_back);
    tcase_add_test(all, the_same_picture_makes_the_same_bytes);
    tcase_add_test(all, a_failed_write_leaves_the_old_file);
    tcase_add_test(all, what_is_no_png_is_refused);
    tcase_add_test(all, impossible_images_are_refused);
    suite_add_tcase(suite, all);
    return run_suite(suite);
}
