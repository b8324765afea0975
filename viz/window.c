/* window.c - the loop: events to keys, the app's picture to the screen.
 *
 * Drawn by our own raster, shown as one texture; any renderer of SDL does, the software one too.
 * Nothing is drawn while nothing changes, and then the loop sleeps until an event comes.
 */
#include "window.h"
#include "keys.h"

#include <SDL.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FRAME_MS = 16, TITLE_MS = 250 };

typedef struct {
    VizApp *app;
    SDL_Window *window;
    SDL_Renderer *renderer;
    SDL_Texture *texture;
    VizImage image;
    float ratio; /* pixels to one unit of mouse coordinates */
    bool vsync;
    bool shown;  /* not minimised */
    bool expose; /* the same picture again */
    bool down, dragging;
    char title[VIZ_COMMAND_MAX];
    Uint32 title_ms;
} Window;

static bool fail_sdl(TspError *err, const char *what) {
    return tsp_fail(err, TSP_ERR_SYSTEM,
                    "%s: %s; --png FILE and --frames A:B write pictures without a window", what,
                    SDL_GetError());
}

/* -- opening -- */

static bool is_set(const char *variable) {
    return getenv(variable) && *getenv(variable);
}

/* Text as large as the screen wants it: quarters, none for small differences. */
static float screen_scale(const Window *w) {
    float dpi = 0, scale;
    if (w->ratio > 1.1f) return w->ratio;
    if (SDL_GetDisplayDPI(SDL_GetWindowDisplayIndex(w->window), NULL, &dpi, NULL)) return 1;
    scale = floorf(4 * dpi / 96 + 0.5f) / 4;
    return scale < 1.25f ? 1 : scale > 4 ? 4 : scale;
}

/* Reads how many pixels there are; the picture has as many. */
static void measure(Window *w) {
    int width, height, pixels_x, pixels_y;
    SDL_GetWindowSize(w->window, &width, &height);
    if (SDL_GetRendererOutputSize(w->renderer, &pixels_x, &pixels_y))
        pixels_x = width, pixels_y = height;
    w->ratio = width > 0 ? (float)pixels_x / (float)width : 1;
    w->app->width = pixels_x < VIZ_SIZE_LEAST ? VIZ_SIZE_LEAST : pixels_x;
    w->app->height = pixels_y < VIZ_SIZE_LEAST ? VIZ_SIZE_LEAST : pixels_y;
    w->app->changed = true;
}

/* The size that was asked for in pixels, or one that suits text of this scale and the screen. */
static void set_size(Window *w, int32_t width, int32_t height, bool given) {
    const float scale = given ? 1 : w->app->view.scale;
    SDL_Rect room;
    int x = (int)(scale * (float)width / w->ratio), y = (int)(scale * (float)height / w->ratio);
    if (!given && !SDL_GetDisplayUsableBounds(SDL_GetWindowDisplayIndex(w->window), &room)) {
        if (x > room.w) x = room.w;
        if (y > room.h) y = room.h;
    }
    SDL_SetWindowSize(w->window, x, y);
    SDL_SetWindowPosition(w->window, SDL_WINDOWPOS_CENTERED, SDL_WINDOWPOS_CENTERED);
    measure(w);
}

/* Asked for by the user, or with vsync where SDL has a driver for that which is quick to load. On
 * X11 loading OpenGL takes longer than all else until the window is there, to put one picture on
 * the screen; and the dummy driver fails with vsync. */
static bool open_renderer(Window *w) {
    const char *driver = SDL_GetCurrentVideoDriver();
    const bool plain = driver && (!strcmp(driver, "x11") || !strcmp(driver, "dummy"));
    if (!plain || is_set("SDL_RENDER_DRIVER"))
        w->renderer = SDL_CreateRenderer(w->window, -1, SDL_RENDERER_PRESENTVSYNC);
    w->vsync = w->renderer != NULL;
    if (!w->renderer && plain) SDL_SetHint(SDL_HINT_FRAMEBUFFER_ACCELERATION, "0");
    if (!w->renderer) w->renderer = SDL_CreateRenderer(w->window, -1, SDL_RENDERER_SOFTWARE);
    return w->renderer != NULL;
}

static bool open_window(Window *w, bool size_given, bool scale_given, TspError *err) {
    const Uint32 flags = SDL_WINDOW_HIDDEN | SDL_WINDOW_RESIZABLE | SDL_WINDOW_ALLOW_HIGHDPI;
    const int32_t width = w->app->width, height = w->app->height;
    w->window = SDL_CreateWindow("tsp view", SDL_WINDOWPOS_CENTERED, SDL_WINDOWPOS_CENTERED, width,
                                 height, flags);
    if (!w->window) return fail_sdl(err, "cannot open a window");
    if (!open_renderer(w)) return fail_sdl(err, "cannot draw into a window");
    measure(w);
    if (!scale_given) w->app->view.scale = w->app->first_scale = screen_scale(w);
    set_size(w, width, height, size_given);
    SDL_SetWindowMinimumSize(w->window, 320, 200);
    SDL_EnableScreenSaver();
    SDL_StartTextInput();
    w->shown = true;
    return true;
}

static void close_window(Window *w) {
    viz_image_free(&w->image);
    if (w->texture) SDL_DestroyTexture(w->texture);
    if (w->renderer) SDL_DestroyRenderer(w->renderer);
    if (w->window) SDL_DestroyWindow(w->window);
    SDL_Quit();
}

/* -- events -- */

static void move(Window *w, int x, int y) {
    VizApp *app = w->app;
    viz_app_mouse(app, w->ratio * (float)x, w->ratio * (float)y);
    if (!w->down) return;
    if (fabsf(app->mouse.x - app->mouse.down_x) + fabsf(app->mouse.y - app->mouse.down_y) >
        4 * app->view.scale)
        w->dragging = true;
    if (w->dragging) viz_app_key(app, "Drag");
}

static void button(Window *w, const SDL_MouseButtonEvent *e) {
    VizApp *app = w->app;
    if (e->button != SDL_BUTTON_LEFT) return;
    viz_app_mouse(app, w->ratio * (float)e->x, w->ratio * (float)e->y);
    if (e->state == SDL_PRESSED) {
        viz_app_press(app);
        w->down = true;
        w->dragging = false;
        return;
    }
    if (w->down && !w->dragging) viz_app_key(app, e->clicks % 2 == 0 ? "Double-click" : "Click");
    w->down = false;
}

static void wheel(VizApp *app, const SDL_MouseWheelEvent *e) {
    int turns = e->direction == SDL_MOUSEWHEEL_FLIPPED ? -e->y : e->y;
    for (; turns > 0; turns--) viz_app_key(app, "Wheel-up");
    for (; turns < 0; turns++) viz_app_key(app, "Wheel-down");
}

static void window_event(Window *w, const SDL_WindowEvent *e) {
    switch (e->event) {
    case SDL_WINDOWEVENT_SIZE_CHANGED:
        measure(w);
        break;
    case SDL_WINDOWEVENT_EXPOSED:
        w->expose = true;
        break;
    case SDL_WINDOWEVENT_LEAVE:
        if (!w->down) viz_app_mouse(w->app, -1, -1);
        break;
    case SDL_WINDOWEVENT_MINIMIZED:
    case SDL_WINDOWEVENT_HIDDEN:
        w->shown = false;
        break;
    case SDL_WINDOWEVENT_RESTORED:
    case SDL_WINDOWEVENT_MAXIMIZED:
    case SDL_WINDOWEVENT_SHOWN:
        w->shown = w->expose = true;
        break;
    default:
        break;
    }
}

static void event(Window *w, const SDL_Event *e) {
    VizApp *app = w->app;
    char key[VIZ_KEY_MAX];
    switch (e->type) {
    case SDL_QUIT:
        app->quit = true;
        break;
    case SDL_KEYDOWN:
        app->again = e->key.repeat != 0;
        if (viz_key_name(&e->key.keysym, key)) viz_app_key(app, key);
        break;
    case SDL_TEXTINPUT:
        if (viz_key_types((Uint16)SDL_GetModState())) viz_app_text(app, e->text.text);
        break;
    case SDL_MOUSEMOTION:
        move(w, e->motion.x, e->motion.y);
        break;
    case SDL_MOUSEBUTTONDOWN:
    case SDL_MOUSEBUTTONUP:
        button(w, &e->button);
        break;
    case SDL_MOUSEWHEEL:
        wheel(app, &e->wheel);
        break;
    case SDL_WINDOWEVENT:
        window_event(w, &e->window);
        break;
    case SDL_RENDER_TARGETS_RESET:
    case SDL_RENDER_DEVICE_RESET: /* the texture is lost */
        if (w->texture) SDL_DestroyTexture(w->texture);
        w->texture = NULL;
        app->changed = true;
        break;
    default:
        break;
    }
}

/* -- pictures -- */

/* The title is the command line that shows the same; while playing, every now and then. */
static void set_title(Window *w) {
    char title[VIZ_COMMAND_MAX];
    const Uint32 now = SDL_GetTicks();
    if (w->app->view.playing && now - w->title_ms < TITLE_MS) return;
    viz_app_command(w->app, title);
    w->title_ms = now;
    if (!strcmp(title, w->title)) return;
    strcpy(w->title, title);
    SDL_SetWindowTitle(w->window, title);
}

static bool fit_image(Window *w, TspError *err) {
    const VizApp *app = w->app;
    if (w->texture && w->image.width == app->width && w->image.height == app->height) return true;
    viz_image_free(&w->image);
    w->image = (VizImage){0};
    if (w->texture) SDL_DestroyTexture(w->texture);
    w->texture = SDL_CreateTexture(w->renderer, SDL_PIXELFORMAT_ARGB8888,
                                   SDL_TEXTUREACCESS_STREAMING, app->width, app->height);
    if (!w->texture) return fail_sdl(err, "cannot draw into a window");
    return viz_image_new(&w->image, app->width, app->height, err);
}

static bool show(Window *w, TspError *err) {
    if (w->app->changed) {
        if (!fit_image(w, err) || !viz_app_draw(w->app, &w->image, err)) return false;
        SDL_UpdateTexture(w->texture, NULL, w->image.pixels,
                          w->image.stride * (int)sizeof *w->image.pixels);
    }
    SDL_RenderCopy(w->renderer, w->texture, NULL, NULL);
    SDL_RenderPresent(w->renderer);
    w->expose = false;
    set_title(w);
    return true;
}

/* Milliseconds until something is to be done anyway; -1: nothing is. */
static int patience(const Window *w, Uint32 frame_start) {
    const Uint32 gone = SDL_GetTicks() - frame_start;
    if (!w->app->view.playing) return -1;
    if (!w->shown) return 100;
    return w->vsync || gone >= FRAME_MS ? 0 : (int)(FRAME_MS - gone);
}

static bool loop(Window *w, TspError *err) {
    VizApp *app = w->app;
    Uint64 last = SDL_GetPerformanceCounter();
    while (!app->quit) {
        const Uint32 start = SDL_GetTicks();
        const Uint64 now = SDL_GetPerformanceCounter();
        const double seconds = (double)(now - last) / (double)SDL_GetPerformanceFrequency();
        SDL_Event e;
        int wait, got;
        last = now;
        viz_app_pass(app, seconds < 0.25 ? seconds : 0.25); /* no leaps after a pause of the host */
        if (w->shown && (app->changed || w->expose) && !show(w, err)) return false;
        wait = patience(w, start);
        got = wait < 0 ? SDL_WaitEvent(&e) : SDL_WaitEventTimeout(&e, wait);
        if (wait < 0) last = SDL_GetPerformanceCounter(); /* time stood still */
        for (; got; got = SDL_PollEvent(&e)) event(w, &e);
    }
    return true;
}

/* Names the drivers that show something to somebody, by what X11 and Wayland leave in the
 * environment: left alone SDL would end with one that nobody sees, and wait for ever. */
static bool start_sdl(TspError *err) {
    const bool x11 = is_set("DISPLAY"), wayland = is_set("WAYLAND_DISPLAY");
    SDL_SetError("neither DISPLAY nor WAYLAND_DISPLAY is set");
    SDL_SetHint(SDL_HINT_VIDEO_X11_NET_WM_BYPASS_COMPOSITOR, "0");
    SDL_SetHint(SDL_HINT_VIDEODRIVER, x11 && wayland ? "x11,wayland" : x11 ? "x11" : "wayland");
    if ((x11 || wayland || is_set("SDL_VIDEODRIVER")) && !SDL_Init(SDL_INIT_VIDEO)) return true;
    return fail_sdl(err, "there is no display");
}

bool viz_window_run(VizApp *app, bool size_given, bool scale_given, TspError *err) {
    Window w = {.app = app};
    bool done;
    if (!start_sdl(err)) return false;
    done = open_window(&w, size_given, scale_given, err);
    if (done) {
        SDL_ShowWindow(w.window);
        done = loop(&w, err);
    }
    close_window(&w);
    return done;
}
