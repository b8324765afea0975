/* keys.h - events of SDL as keys by name, as the table of actions has them.
 */
#ifndef TSP_VIZ_KEYS_H
#define TSP_VIZ_KEYS_H
#include <SDL.h>

#include <stdbool.h>

enum { VIZ_KEY_MAX = 32 };

/* "Shift+Right", "F12", "Ctrl+=". False for what comes as text as well: characters without Ctrl. */
bool viz_key_name(const SDL_Keysym *key, char name[VIZ_KEY_MAX]);
/* Whether text typed with these modifiers is meant as such. */
bool viz_key_types(Uint16 modifiers);

#endif
