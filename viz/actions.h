/* actions.h - everything a key or the mouse can do: one table, which also prints its own help.
 */
#ifndef TSP_VIZ_ACTIONS_H
#define TSP_VIZ_ACTIONS_H
#include "app.h"

typedef enum { VIZ_LOOKING, VIZ_TYPING, VIZ_CONTEXTS } VizContext;

typedef enum {
    VIZ_GROUP_TIME,
    VIZ_GROUP_PLACE,
    VIZ_GROUP_LOOK,
    VIZ_GROUP_SELECT,
    VIZ_GROUP_STOP,
    VIZ_GROUP_PROGRAM,
    VIZ_GROUP_TYPING,
    VIZ_GROUPS
} VizGroup;

typedef struct {
    const char *name;
    /* Separated by blanks: "Right .". A character, or a name such as "Space" and "F12", behind
     * "Ctrl+" or "Shift+"; Shift is not told of characters. "1..9" is any of these digits, and the
     * argument then. Mouse: "Click", "Double-click", "Drag", "Wheel-up", "Wheel-down". */
    const char *keys;
    const char *help;
    VizGroup group;
    VizContext context;
    bool repeats; /* again and again while the key is held */
    bool gesture; /* of the mouse: leaves messages as they are */
    void (*run)(VizApp *app, int32_t argument);
    int32_t argument;
} VizAction;

extern const VizAction viz_actions[];
extern const int32_t viz_action_count;

/* What a key does there, and with which argument; NULL: nothing. */
const VizAction *viz_action_find(VizContext context, const char *key, int32_t *argument);
/* A character for the prompt. */
void viz_action_typed(VizApp *app, const char *character);

const char *viz_group_name(VizGroup group);
/* The overlay with the keys, made from the table, over the whole frame. */
void viz_help_draw(const VizFrame *frame);
/* The table as Markdown; the caller frees. NULL if out of memory. */
char *viz_keys_markdown(void);

#endif
