/* picture_diff.c EXPECTED GOT [DIFF] - whether two PNG files show exactly the same.
 *
 * If not, says how many pixels differ and by how much (of 255, in the channel that differs most),
 * and writes DIFF: the expected picture, pale, with what differs in red. Exit status: 0 the same,
 * 1 not, 2 a file could not be read or written.
 */
#include "viz/png.h"

#include <stdio.h>
#include <stdlib.h>

static const uint32_t no_pixel = 0, red = 0xffff0000u; /* a pixel that is there is opaque */

static uint32_t pixel_at(const VizImage *image, int32_t x, int32_t y) {
    if (x >= image->width || y >= image->height) return no_pixel;
    return image->pixels[(ptrdiff_t)y * image->stride + x];
}

static int32_t difference(uint32_t a, uint32_t b) {
    int32_t most = 0;
    if (a != b && (a == no_pixel || b == no_pixel)) return 255;
    for (int32_t shift = 0; shift < 24; shift += 8) {
        int32_t d = abs((int32_t)(a >> shift & 0xff) - (int32_t)(b >> shift & 0xff));
        if (d > most) most = d;
    }
    return most;
}

static uint32_t pale(uint32_t pixel) {
    uint32_t grey = ((pixel >> 16 & 0xff) + (pixel >> 8 & 0xff) + (pixel & 0xff)) / 3;
    grey = 192 + grey / 4;
    return 0xff000000u | grey << 16 | grey << 8 | grey;
}

/* Fills diff, which is as large as both; how many pixels differ, and the most. */
static int64_t compare(const VizImage *expected, const VizImage *got, VizImage *diff,
                       int32_t *most) {
    int64_t differ = 0;
    *most = 0;
    for (int32_t y = 0; y < diff->height; y++)
        for (int32_t x = 0; x < diff->width; x++) {
            const uint32_t pixel = pixel_at(expected, x, y);
            const int32_t d = difference(pixel, pixel_at(got, x, y));
            differ += d != 0;
            if (d > *most) *most = d;
            diff->pixels[(ptrdiff_t)y * diff->stride + x] = d ? red : pale(pixel);
        }
    return differ;
}

int main(int argc, char **argv) {
    VizImage expected = {0}, got = {0}, diff = {0};
    TspError err = {0};
    int64_t differ = 0;
    int32_t most = 0;
    bool ok;
    if (argc != 3 && argc != 4) {
        fprintf(stderr, "usage: picture_diff EXPECTED GOT [DIFF]\n");
        return 2;
    }
    ok = viz_png_read(argv[1], &expected, &err) && viz_png_read(argv[2], &got, &err) &&
         viz_image_new(&diff, expected.width > got.width ? expected.width : got.width,
                       expected.height > got.height ? expected.height : got.height, &err);
    if (ok) differ = compare(&expected, &got, &diff, &most);
    if (differ) {
        if (expected.width != got.width || expected.height != got.height)
            printf("%d x %d pixels, not %d x %d; ", got.width, got.height, expected.width,
                   expected.height);
        printf("%lld pixels differ, the largest difference is %d of 255\n", (long long)differ,
               most);
        if (argc == 4) ok = viz_png_write(argv[3], &diff, NULL, 0, &err);
    }
    if (!ok) fprintf(stderr, "picture_diff: error: %s\n", err.text);
    viz_image_free(&expected);
    viz_image_free(&got);
    viz_image_free(&diff);
    return !ok ? 2 : differ ? 1 : 0;
}
