/* theme.c - the tables of roles, themes and palettes, and what contrast is.
 */
#include "theme.h"

#include <math.h>
#include <string.h>

/* role, name; dark, light, print. What is written in a text's colour has a contrast of 4.5 on the
 * grounds that it may stand on; tests/test_theme.c says which. */
#define ROLES(X)                                                                                   \
    X(VIZ_BACKGROUND, "background", 0x14161aff, 0xe9ecefff, 0xffffffff)                            \
    X(VIZ_PANEL, "panel", 0x1b1e24ff, 0xfcfdfeff, 0xffffffff)                                      \
    X(VIZ_RAISED, "raised", 0x272b33ff, 0xf0f2f5ff, 0xf4f4f4ff)                                    \
    X(VIZ_GRID, "grid", 0x2c313aff, 0xdde1e6ff, 0xd0d0d0ff)                                        \
    X(VIZ_BORDER, "border", 0x4d5563ff, 0x9aa3aeff, 0x303030ff)                                    \
    X(VIZ_TEXT, "text", 0xe6e8ebff, 0x1b1f24ff, 0x000000ff)                                        \
    X(VIZ_TEXT_DIM, "text-dim", 0xa0a7b4ff, 0x56606cff, 0x505050ff)                                \
    X(VIZ_ACCENT, "accent", 0x5cc8ffff, 0x0b5cadff, 0x003f8cff)                                    \
    X(VIZ_CURSOR, "cursor", 0xffd24aff, 0xb0124fff, 0x000000ff)                                    \
    X(VIZ_MARK, "mark", 0xc792eaff, 0x7a3fb0ff, 0x505050ff)                                        \
    X(VIZ_SELECTION, "selection", 0x24507aff, 0xbcd9f5ff, 0xd8d8d8ff)                              \
    X(VIZ_HOVER, "hover", 0x333a45ff, 0xdfe6eeff, 0xebebebff)                                      \
    X(VIZ_IDLE, "idle", 0x2b2f38ff, 0xe3e7ebff, 0xffffffff)                                        \
    X(VIZ_BUSY, "busy", 0x4b5a70ff, 0x9fb0c6ff, 0xbbbbbbff)                                        \
    X(VIZ_GOOD, "good", 0x5fd38dff, 0x1a7037ff, 0x1a5e2eff)                                        \
    X(VIZ_WARNING, "warning", 0xffb454ff, 0x8a5200ff, 0x7a4a00ff)                                  \
    X(VIZ_ERROR, "error", 0xff7b72ff, 0xb3261eff, 0xa00000ff)

#define ROLE_NAME(role, name, dark, light, print) [role] = name,
#define DARK(role, name, dark, light, print)      [role] = dark,
#define LIGHT(role, name, dark, light, print)     [role] = light,
#define PRINT(role, name, dark, light, print)     [role] = print,

static const char *const role_names[VIZ_ROLES] = {ROLES(ROLE_NAME)};

static const VizTheme themes[VIZ_THEMES] = {
    {"dark", true, 1.0f, {ROLES(DARK)}},
    {"light", false, 1.0f, {ROLES(LIGHT)}},
    {"print", false, 0.75f, {ROLES(PRINT)}},
};

enum { COLOURS_MAX = 8 };

struct VizPalette {
    const char *name;
    bool hatches_first; /* where colours alone say little, the hatch changes with every identity */
    int32_t count;
    VizColour colours[COLOURS_MAX];
};

static const VizPalette palettes[VIZ_PALETTES] = {
    {"okabe-ito",
     false,
     8,
     {0xe69f00ff, 0x56b4e9ff, 0x009e73ff, 0xf0e442ff, 0x0072b2ff, 0xd55e00ff, 0xcc79a7ff,
      0x999999ff}},
    {"tol-bright",
     false,
     7,
     {0x4477aaff, 0xee6677ff, 0x228833ff, 0xccbb44ff, 0x66cceeff, 0xaa3377ff, 0xbbbbbbff}},
    {"grey",
     true,
     7,
     {0xf0f0f0ff, 0xd4d4d4ff, 0xb8b8b8ff, 0x9a9a9aff, 0x7c7c7cff, 0x5e5e5eff, 0x404040ff}},
};

/* Any whole number into 0 .. count - 1. */
static int32_t wrapped(int64_t number, int32_t count) {
    return (int32_t)((number % count + count) % count);
}

const VizTheme *viz_theme(int32_t number) {
    return &themes[wrapped(number, VIZ_THEMES)];
}

const VizTheme *viz_theme_find(const char *name) {
    for (int32_t i = 0; i < VIZ_THEMES; i++)
        if (strcmp(themes[i].name, name) == 0) return &themes[i];
    return NULL;
}

const char *viz_role_name(VizRole role) {
    return role_names[role];
}

const VizPalette *viz_palette(int32_t number) {
    return &palettes[wrapped(number, VIZ_PALETTES)];
}

const VizPalette *viz_palette_find(const char *name) {
    for (int32_t i = 0; i < VIZ_PALETTES; i++)
        if (strcmp(palettes[i].name, name) == 0) return &palettes[i];
    return NULL;
}

const char *viz_palette_name(const VizPalette *palette) {
    return palette->name;
}

int32_t viz_palette_size(const VizPalette *palette) {
    return palette->count * VIZ_HATCHES;
}

VizFill viz_identity(const VizPalette *palette, int64_t n) {
    const int32_t at = wrapped(n, viz_palette_size(palette));
    int32_t colour = at % palette->count, hatch = at / palette->count;
    VizFill fill;
    if (palette->hatches_first) {
        /* three greys further each time, so that neighbours differ in both; the shift by each round
         * of the hatches keeps the pairs unique */
        hatch = at % VIZ_HATCHES;
        colour = (3 * hatch + at / VIZ_HATCHES) % palette->count;
    }
    fill.colour = palette->colours[colour];
    fill.hatch = (VizHatch)hatch;
    fill.ink = hatch ? viz_with_alpha(viz_readable_on(fill.colour), 0xb0) : 0;
    return fill;
}

/* -- contrast: WCAG 2.1, "relative luminance" and "contrast ratio" -- */

static double linear(uint32_t channel) {
    const double v = (double)channel / 255;
    return v <= 0.04045 ? v / 12.92 : pow((v + 0.055) / 1.055, 2.4);
}

static double luminance(VizColour c) {
    return 0.2126 * linear(c >> 24) + 0.7152 * linear(c >> 16 & 0xff) +
           0.0722 * linear(c >> 8 & 0xff);
}

double viz_contrast(VizColour a, VizColour b) {
    const double la = luminance(a) + 0.05, lb = luminance(b) + 0.05;
    return la > lb ? la / lb : lb / la;
}

/* Hosts may differ in the last bit of pow(); no colour is that near to the change from one to the
 * other. */
VizColour viz_readable_on(VizColour ground) {
    const VizColour black = 0x000000ff, white = 0xffffffff;
    return viz_contrast(ground, black) >= viz_contrast(ground, white) ? black : white;
}
