/* keys.c - names of keys; see keys.h.
 *
 * Characters come as text, so that they are where the user's keyboard has them.
 */
#include "keys.h"

#include <stdio.h>

static const struct {
    SDL_Keycode code;
    const char *name;
    bool only_ctrl; /* without Ctrl it comes as text */
} names[] = {
    {SDLK_RIGHT, "Right", false},
    {SDLK_LEFT, "Left", false},
    {SDLK_UP, "Up", false},
    {SDLK_DOWN, "Down", false},
    {SDLK_PAGEUP, "PageUp", false},
    {SDLK_PAGEDOWN, "PageDown", false},
    {SDLK_HOME, "Home", false},
    {SDLK_END, "End", false},
    {SDLK_TAB, "Tab", false},
    {SDLK_ESCAPE, "Esc", false},
    {SDLK_RETURN, "Enter", false},
    {SDLK_KP_ENTER, "Enter", false},
    {SDLK_BACKSPACE, "Backspace", false},
    {SDLK_F1, "F1", false},
    {SDLK_F12, "F12", false},
    {SDLK_KP_PLUS, "+", true},
    {SDLK_KP_MINUS, "-", true},
    {SDLK_KP_0, "0", true},
};

bool viz_key_types(Uint16 modifiers) {
    const bool alt_gr = modifiers & (KMOD_RALT | KMOD_MODE);
    return alt_gr || !(modifiers & (KMOD_CTRL | KMOD_LALT | KMOD_GUI));
}

bool viz_key_name(const SDL_Keysym *key, char name[VIZ_KEY_MAX]) {
    const bool ctrl = key->mod & KMOD_CTRL, shift = key->mod & KMOD_SHIFT;
    if (key->mod & (KMOD_LALT | KMOD_GUI)) return false; /* the window manager's */
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (names[i].code == key->sym && (ctrl || !names[i].only_ctrl)) {
            snprintf(name, VIZ_KEY_MAX, "%s%s%s", ctrl ? "Ctrl+" : "",
                     shift && !names[i].only_ctrl ? "Shift+" : "", names[i].name);
            return true;
        }
    if (!ctrl) return false;
    if (key->scancode >= SDL_SCANCODE_1 && key->scancode <= SDL_SCANCODE_9)
        snprintf(name, VIZ_KEY_MAX, "Ctrl+%d", (int)(key->scancode - SDL_SCANCODE_1) + 1);
    else if (key->scancode == SDL_SCANCODE_0)
        snprintf(name, VIZ_KEY_MAX, "Ctrl+0");
    else if (key->sym > ' ' && key->sym < 127)
        snprintf(name, VIZ_KEY_MAX, "Ctrl+%c", (char)key->sym);
    else
        return false;
    return true;
}
