/* test_line.c - one line of measurements: temperatures, keys and names, byte by byte.
 */
#include "programs/1brc/line.h"

#include "seeded.h"
#include "suite.h"
#include <iconv.h>

/* -?d?d.d and a newline, by the definition; its length, 0 if it is none. */
static int32_t temperature_length(const char *text, int32_t *tenths) {
    const char *at = text;
    const int32_t sign = *at == '-' ? -1 : 1;
    int32_t digits = 0, value = 0;
    if (*at == '-') at++;
    for (; *at >= '0' && *at <= '9'; at++, digits++) value = value * 10 + *at - '0';
    if (digits < 1 || digits > 2 || *at++ != '.' || *at < '0' || *at > '9') return 0;
    *tenths = sign * (value * 10 + *at++ - '0');
    return *at++ == '\n' ? (int32_t)(at - text) : 0;
}

/* All texts of up to six of these characters, neighbours of digits, '-' and '.' among them. */
START_TEST(all_temperatures) {
    static const char letters[] = "059-.\n/:;, \x10\xb1p";
    const char *scale = getenv("TSP_TEST_SCALE");
    const int32_t count = sizeof letters - 1, places = scale && !strcmp(scale, "small") ? 5 : 6;
    int64_t texts = 1;
    for (int32_t i = 0; i < places; i++) texts *= count;
    for (int64_t i = 0; i < texts; i++) {
        char line[2 + LINE_AHEAD] = "x;";
        int32_t tenths = 0, length;
        int64_t rest = i;
        Line got;
        memset(line + 2, '\n', LINE_AHEAD);
        for (int32_t k = 0; k < places; k++, rest /= count) line[2 + k] = letters[rest % count];
        length = temperature_length(line + 2, &tenths);
        got = line_take(line);
        ck_assert_msg(got.good == (length > 0), "%.*s", 2 + places, line);
        ck_assert_int_eq(got.key.length, 1);
        if (length == 0) continue;
        ck_assert_int_eq(got.tenths, tenths);
        ck_assert_ptr_eq(got.next, line + 2 + length);
    }
}
END_TEST

/* Every length: the key on the way is that of the name alone, whatever stands behind it. */
START_TEST(keys_of_all_lengths) {
    random_start();
    for (int trial = 0; trial < 20000; trial++) {
        char line[2 * LINE_AHEAD], name[NAME_MOST];
        const int32_t length = pick(0, NAME_MOST + 10);
        NameKey key, want;
        for (size_t i = 0; i < sizeof line; i++) line[i] = (char)(random_bits() >> 20);
        for (int32_t i = 0; i < length; i++)
            if (line[i] == ';') line[i] = ':';
        line[length] = ';';
        key = line_key(line);
        if (length < 1 || length > NAME_MOST) {
            ck_assert(length < 1 ? key.length == 0 : key.length > NAME_MOST);
            continue;
        }
        memcpy(name, line, (size_t)length);
        want = names_key(name, length);
        ck_assert_int_eq(key.length, length);
        ck_assert(key.head[0] == want.head[0] && key.head[1] == want.head[1]);
        ck_assert(key.hash == want.hash);
    }
}
END_TEST

/* The C library's converter as the judge: where it stops, or a control character does. */
START_TEST(names_are_utf8) {
    static const unsigned char nasty[] = {
        0x00, 0x0a, 0x1f, 0x20, 0x41, 0x7e, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0, 0xc1,
        0xc2, 0xdf, 0xe0, 0xe1, 0xec, 0xed, 0xee, 0xef, 0xf0, 0xf1, 0xf3, 0xf4, 0xf5, 0xf8, 0xff};
    iconv_t judge = iconv_open("UTF-32LE", "UTF-8");
    int32_t valid = 0;
    ck_assert(judge != (iconv_t)-1);
    random_start();
    for (int trial = 0; trial < 400000; trial++) {
        const int32_t length = pick(1, 5);
        char name[5], *from = name;
        uint32_t wide[8];
        char *to = (char *)wide;
        size_t left = (size_t)length, room = sizeof wide;
        int32_t want = -1;
        for (int32_t i = 0; i < length; i++)
            name[i] = (char)(one_in(4) ? pick(0x80, 0xbf) : nasty[pick(0, sizeof nasty - 1)]);
        iconv(judge, NULL, NULL, NULL, NULL);
        if (iconv(judge, &from, &left, &to, &room) == (size_t)-1) want = (int32_t)(from - name);
        for (int32_t i = 0; i < (want < 0 ? length : want); i++)
            if ((unsigned char)name[i] < 0x20 || name[i] == 0x7f) want = i;
        ck_assert_int_eq(names_bad_byte(name, length), want);
        valid += want < 0;
    }
    ck_assert_int_gt(valid, 10000);
    iconv_close(judge);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("line");
    TCase *tests = tcase_create("line");
    tcase_add_test(tests, all_temperatures);
    tcase_add_test(tests, keys_of_all_lengths);
    tcase_add_test(tests, names_are_utf8);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
