/* json_where.h - finds where in a text an item of its cJSON tree stands; cJSON keeps no places.
 *
 * A tree and the text it was parsed from are walked side by side. Lines and columns count from 1,
 * columns in characters of UTF-8.
 */
#ifndef TSP_JSON_WHERE_H
#define TSP_JSON_WHERE_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cjson/cJSON.h>

typedef struct {
    int32_t line, column;
    char path[256]; /* "$.nodes[2].inputs[0]"; cut short when longer */
} TspJsonPlace;

/* Line and column of a byte of the text. */
void tsp_json_position(const char *text, size_t length, size_t offset, int32_t *line,
                       int32_t *column);
/* Place of `item` in the tree `root` that cJSON parsed from `text`: where its value begins, or
 * with `at_key` where its key does. An item nested more than 30 deep gets the place of its
 * ancestor at that depth. False if the item is not in the tree (*place is then the root's). */
bool tsp_json_where(const char *text, size_t length, const cJSON *root, const cJSON *item,
                    bool at_key, TspJsonPlace *place);
/* lines[i] = the line on which element i of `array`, an item of the tree, begins. One pass. */
void tsp_json_lines(const char *text, size_t length, const cJSON *root, const cJSON *array,
                    int32_t *lines);

#endif
