/* font.c - finds, opens and caches the faces; SDL_ttf makes the bitmaps.
 *
 * Metrics come from an em of 2048 pixels and are scaled here: at a small size SDL_ttf rounds every
 * advance up, and text would stand too wide.
 */
#include "font.h"

#include <SDL2/SDL_ttf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { EM_PX = 2048, LEAST_PX = 4, GREATEST_PX = 256, LEAST_SLOTS = 1024, REPLACEMENT = 0xfffd };

static const char *const files[VIZ_FACES] = {
    [VIZ_REGULAR] = "DejaVuSans.ttf",
    [VIZ_BOLD] = "DejaVuSans-Bold.ttf",
    [VIZ_MONO] = "DejaVuSansMono.ttf",
};

/* Where Debian, Fedora, Arch, Alpine and a user's own installation have them. */
static const char *const folders[] = {
    "/usr/share/fonts/truetype/dejavu",
    "/usr/share/fonts/dejavu-sans-fonts",
    "/usr/share/fonts/dejavu-sans-mono-fonts",
    "/usr/share/fonts/TTF",
    "/usr/share/fonts/dejavu",
    "/usr/local/share/fonts/dejavu",
    "/usr/local/share/fonts",
};
enum { FOLDERS = sizeof folders / sizeof folders[0] };

typedef struct {
    uint64_t key; /* codepoint, size, face */
    VizGlyph glyph;
    uint8_t coverage[];
} Entry;

typedef struct {
    TTF_Font *em, *sized;
    int32_t size_px; /* of sized */
    int32_t ascent, descent, cap_height;
} Face;

struct VizFont {
    Face faces[VIZ_FACES];
    Entry **table; /* open addressing, a power of two */
    size_t capacity, used;
};

static const VizGlyph no_glyph = {0, 0, 0, 0, 0, NULL};

/* -- opening -- */

static FILE *open_in(const char *folder, const char *file, char *path, size_t size) {
    snprintf(path, size, "%s/%s", folder, file);
    return fopen(path, "rb");
}

static bool find_file(const char *file, char *path, size_t size, TspError *err) {
    const char *own = getenv("TSP_FONT_DIR");
    FILE *found = own && *own ? open_in(own, file, path, size) : NULL;
    for (int32_t i = 0; !found && i < FOLDERS; i++) found = open_in(folders[i], file, path, size);
    if (!found)
        return tsp_fail(err, TSP_ERR_SYSTEM,
                        "no font %s in %s%s%s; install fonts-dejavu-core, or let TSP_FONT_DIR name "
                        "its folder",
                        file, own && *own ? own : "", own && *own ? " or " : "", folders[0]);
    fclose(found);
    return true;
}

static bool open_face(Face *face, const char *file, TspError *err) {
    char path[1024];
    int top;
    if (!find_file(file, path, sizeof path, err)) return false;
    face->size_px = LEAST_PX;
    face->em = TTF_OpenFont(path, EM_PX);
    face->sized = face->em ? TTF_OpenFont(path, face->size_px) : NULL;
    if (!face->sized)
        return tsp_fail(err, TSP_ERR_SYSTEM,
                        "%s cannot be used (%s); install fonts-dejavu-core again", path,
                        TTF_GetError());
    TTF_SetFontHinting(face->em, TTF_HINTING_NONE);
    TTF_SetFontHinting(face->sized, TTF_HINTING_NONE);
    face->ascent = TTF_FontAscent(face->em);
    face->descent = -TTF_FontDescent(face->em);
    face->cap_height =
        TTF_GlyphMetrics32(face->em, 'H', NULL, NULL, NULL, &top, NULL) == 0 ? top : face->ascent;
    return true;
}

VizFont *viz_font_open(TspError *err) {
    VizFont *font = calloc(1, sizeof *font);
    bool ok = font != NULL;
    if (!ok) {
        tsp_fail(err, TSP_ERR_SYSTEM, "out of memory for the font");
        return NULL;
    }
    if (TTF_Init() != 0) {
        tsp_fail(err, TSP_ERR_SYSTEM, "SDL_ttf does not start (%s); install libsdl2-ttf-2.0-0",
                 TTF_GetError());
        free(font);
        return NULL;
    }
    for (int32_t face = 0; ok && face < VIZ_FACES; face++)
        ok = open_face(&font->faces[face], files[face], err);
    font->capacity = LEAST_SLOTS;
    font->table = calloc(font->capacity, sizeof(Entry *));
    if (ok && !font->table) ok = tsp_fail(err, TSP_ERR_SYSTEM, "out of memory for the font");
    if (ok) return font;
    viz_font_close(font);
    return NULL;
}

void viz_font_close(VizFont *font) {
    if (!font) return;
    for (size_t i = 0; font->table && i < font->capacity; i++) free(font->table[i]);
    for (int32_t face = 0; face < VIZ_FACES; face++) {
        if (font->faces[face].em) TTF_CloseFont(font->faces[face].em);
        if (font->faces[face].sized) TTF_CloseFont(font->faces[face].sized);
    }
    free(font->table);
    free(font);
    TTF_Quit(); /* counts its TTF_Init */
}

/* -- glyphs -- */

static int32_t held(int32_t size_px) {
    return size_px < LEAST_PX ? LEAST_PX : size_px > GREATEST_PX ? GREATEST_PX : size_px;
}
/* Rounded, for both signs alike. */
static int32_t scaled(int32_t em, int32_t size_px) {
    return (em * size_px + EM_PX / 2 + EM_PX * GREATEST_PX) / EM_PX - GREATEST_PX;
}

static uint8_t coverage_at(const SDL_Surface *surface, int32_t x, int32_t y) {
    uint32_t pixel;
    memcpy(&pixel, (const uint8_t *)surface->pixels + (size_t)y * (size_t)surface->pitch + 4 * x,
           4);
    return (uint8_t)(pixel >> 24);
}

/* The least box that holds all coverage; the glyph's size and place within the surface. */
static void measure(const SDL_Surface *surface, VizGlyph *glyph, int32_t *left, int32_t *top) {
    int32_t x0 = surface->w, x1 = 0, y0 = surface->h, y1 = 0;
    for (int32_t y = 0; y < surface->h; y++)
        for (int32_t x = 0; x < surface->w; x++) {
            if (!coverage_at(surface, x, y)) continue;
            if (x < x0) x0 = x;
            if (x >= x1) x1 = x + 1;
            if (y < y0) y0 = y;
            if (y >= y1) y1 = y + 1;
        }
    *left = x0, *top = y0;
    if (x1 > x0) glyph->width = x1 - x0, glyph->height = y1 - y0;
}

static const VizGlyph *copy_glyph(Entry *entry, const SDL_Surface *surface, int32_t left,
                                  int32_t top) {
    VizGlyph *glyph = &entry->glyph;
    for (int32_t y = 0; y < glyph->height; y++)
        for (int32_t x = 0; x < glyph->width; x++)
            entry->coverage[y * glyph->width + x] = coverage_at(surface, left + x, top + y);
    glyph->coverage = entry->coverage;
    return glyph;
}

static Entry *make_entry(VizFont *font, VizFace face, int32_t size_px, uint32_t codepoint) {
    static const SDL_Color white = {255, 255, 255, 255};
    Face *f = &font->faces[face];
    VizGlyph glyph = no_glyph;
    SDL_Surface *surface;
    Entry *entry;
    int least_x = 0, greatest_y = 0, advance = 0, ascent;
    int32_t left = 0, top = 0;
    if (!TTF_GlyphIsProvided32(f->em, codepoint)) {
        if (face != VIZ_REGULAR) return make_entry(font, VIZ_REGULAR, size_px, codepoint);
        if (codepoint == REPLACEMENT) return calloc(1, sizeof *entry);
        return make_entry(font, face, size_px, REPLACEMENT);
    }
    if (f->size_px != size_px && TTF_SetFontSize(f->sized, size_px) == 0) f->size_px = size_px;
    TTF_GlyphMetrics32(f->em, codepoint, NULL, NULL, NULL, NULL, &advance);
    TTF_GlyphMetrics32(f->sized, codepoint, &least_x, NULL, NULL, &greatest_y, NULL);
    glyph.advance = scaled(advance, size_px);
    surface = TTF_RenderGlyph32_Blended(f->sized, codepoint, white);
    if (surface) measure(surface, &glyph, &left, &top);
    /* SDL_ttf moves the pen so that no part of the glyph has a negative place in the surface. */
    ascent = TTF_FontAscent(f->sized);
    glyph.left = left - (least_x < 0 ? -least_x : 0);
    glyph.top = (greatest_y > ascent ? greatest_y : ascent) - top;
    entry = calloc(1, sizeof *entry + (size_t)glyph.width * (size_t)glyph.height);
    if (entry) {
        entry->glyph = glyph;
        if (surface) copy_glyph(entry, surface, left, top);
    }
    SDL_FreeSurface(surface);
    return entry;
}

static Entry **slot_of(Entry **table, size_t capacity, uint64_t key) {
    size_t at = (size_t)((key * 0x9e3779b97f4a7c15u) >> 32);
    while (table[at & (capacity - 1)] && table[at & (capacity - 1)]->key != key) at++;
    return &table[at & (capacity - 1)];
}

/* Room for one more, so that a search always ends at a free slot. */
static bool grow(VizFont *font) {
    size_t capacity = 2 * font->capacity;
    Entry **table;
    if (2 * (font->used + 1) <= font->capacity) return true;
    table = calloc(capacity, sizeof(Entry *));
    if (!table) return false;
    for (size_t i = 0; i < font->capacity; i++)
        if (font->table[i]) *slot_of(table, capacity, font->table[i]->key) = font->table[i];
    free(font->table);
    font->table = table;
    font->capacity = capacity;
    return true;
}

const VizGlyph *viz_font_glyph(VizFont *font, VizFace face, int32_t size_px, uint32_t codepoint) {
    int32_t size = held(size_px);
    uint64_t key = (uint64_t)codepoint << 32 | (uint64_t)size << 8 | (uint64_t)face;
    Entry **slot = slot_of(font->table, font->capacity, key);
    if (*slot) return &(*slot)->glyph;
    if (!grow(font)) return &no_glyph;
    slot = slot_of(font->table, font->capacity, key);
    *slot = make_entry(font, face, size, codepoint);
    if (!*slot) return &no_glyph;
    (*slot)->key = key;
    font->used++;
    return &(*slot)->glyph;
}

/* -- measuring -- */

int32_t viz_font_width(VizFont *font, VizFace face, int32_t size_px, const char *text,
                       size_t length) {
    const char *end = text + length;
    int32_t width = 0;
    while (text < end && *text)
        width += viz_font_glyph(font, face, size_px, viz_utf8_next(&text))->advance;
    return width;
}

size_t viz_font_fit(VizFont *font, VizFace face, int32_t size_px, const char *text,
                    int32_t width_px) {
    const char *at = text, *fits = text;
    while (*at && width_px >= 0) {
        width_px -= viz_font_glyph(font, face, size_px, viz_utf8_next(&at))->advance;
        if (width_px >= 0) fits = at;
    }
    return (size_t)(fits - text);
}

int32_t viz_font_ascent(VizFont *font, VizFace face, int32_t size_px) {
    return (font->faces[face].ascent * held(size_px) + EM_PX - 1) / EM_PX;
}
int32_t viz_font_descent(VizFont *font, VizFace face, int32_t size_px) {
    return (font->faces[face].descent * held(size_px) + EM_PX - 1) / EM_PX;
}
int32_t viz_font_cap_height(VizFont *font, VizFace face, int32_t size_px) {
    return scaled(font->faces[face].cap_height, held(size_px));
}

uint32_t viz_utf8_next(const char **text) {
    /* By the number of bytes that follow the first: its bits, and the least codepoint that may be
     * written so long. */
    static const struct {
        uint32_t mask, tag, least;
    } forms[] = {{0x80, 0x00, 0}, {0xe0, 0xc0, 0x80}, {0xf0, 0xe0, 0x800}, {0xf8, 0xf0, 0x10000}};
    const char *at = *text;
    const uint32_t first = (uint8_t)*at;
    if (!first) return 0;
    *text = at + 1;
    for (int32_t more = 0; more < 4; more++) {
        uint32_t code = first & ~forms[more].mask;
        if ((first & forms[more].mask) != forms[more].tag) continue;
        for (int32_t i = 1; i <= more; i++) {
            if (((uint8_t)at[i] & 0xc0) != 0x80) return REPLACEMENT;
            code = code << 6 | ((uint8_t)at[i] & 0x3f);
        }
        if (code < forms[more].least || code > 0x10ffff || (code >= 0xd800 && code < 0xe000))
            return REPLACEMENT;
        *text = at + 1 + more;
        return code;
    }
    return REPLACEMENT;
}
