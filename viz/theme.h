/* theme.h - colours by what they are for, and the colour and hatch that tell things apart.
 */
#ifndef TSP_VIZ_THEME_H
#define TSP_VIZ_THEME_H
#include "canvas.h"

typedef enum {
    VIZ_BACKGROUND, /* behind the panels */
    VIZ_PANEL,      /* a panel's ground */
    VIZ_RAISED,     /* headers, tooltips, menus */
    VIZ_GRID,       /* thin lines within a panel */
    VIZ_BORDER,     /* lines between panels, outlines of units */
    VIZ_TEXT,
    VIZ_TEXT_DIM,
    VIZ_ACCENT,    /* links, the focused panel, the thing that can be pressed */
    VIZ_CURSOR,    /* the present time */
    VIZ_MARK,      /* marks that the user set */
    VIZ_SELECTION, /* ground of what is selected */
    VIZ_HOVER,     /* ground of what is under the mouse */
    VIZ_IDLE,      /* a unit that does nothing */
    VIZ_BUSY,      /* a unit at work for nothing in particular */
    VIZ_GOOD,
    VIZ_WARNING,
    VIZ_ERROR,
    VIZ_ROLES
} VizRole;

typedef struct {
    const char *name;
    bool dark;
    float line_px; /* the width of thin lines */
    VizColour colours[VIZ_ROLES];
} VizTheme;

enum { VIZ_THEMES = 3, VIZ_PALETTES = 3 };

/* "dark", "light", "print": by number, counted modulo VIZ_THEMES so that a key can walk through
 * them, or by name, NULL if there is none. */
const VizTheme *viz_theme(int32_t number);
const VizTheme *viz_theme_find(const char *name);
const char *viz_role_name(VizRole role);

static inline VizColour viz_colour(const VizTheme *theme, VizRole role) {
    return theme->colours[role];
}

/* Sets of colours for identities, apart for every kind of colour vision:
 * "okabe-ito": M. Okabe and K. Ito, "Color Universal Design", 2008; grey instead of black
 * "tol-bright": P. Tol, "Colour Schemes", SRON/EPS/TN/09-002, 2021
 * "grey": greys and hatches, for print */
typedef struct VizPalette VizPalette;
const VizPalette *viz_palette(int32_t number);
const VizPalette *viz_palette_find(const char *name);
const char *viz_palette_name(const VizPalette *palette);

/* How identity n = 0, 1, ... is filled. Colours come again with another hatch: the pair is unique
 * for n below viz_palette_size, at least 48; then all begins again. */
VizFill viz_identity(const VizPalette *palette, int64_t n);
int32_t viz_palette_size(const VizPalette *palette);

/* Contrast of two opaque colours by WCAG 2.1: 1 .. 21, text wants 4.5. */
double viz_contrast(VizColour a, VizColour b);
/* Black or white, whichever can be read on this colour: a contrast of at least 4.5. */
VizColour viz_readable_on(VizColour ground);
/* The colour with this alpha, 0 .. 255. */
static inline VizColour viz_with_alpha(VizColour colour, uint32_t alpha) {
    return (colour & 0xffffff00u) | (alpha & 0xffu);
}

#endif
