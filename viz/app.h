/* app.h - the viewer as a machine without a window: keys and mouse go in by name, a picture comes
 * out. A window, a file and a test drive the same one.
 */
#ifndef TSP_VIZ_APP_H
#define TSP_VIZ_APP_H
#include "play.h"
#include "raster.h"

#define VIZ_ZOOM_MOST 64.0 /* of the chip */
enum { VIZ_COMMAND_MAX = 4096, VIZ_SIZE_LEAST = 64, VIZ_SIZE_MOST = 16384 };

/* What is being typed into the caption. */
typedef enum { VIZ_NO_PROMPT, VIZ_PROMPT_GO_TO, VIZ_PROMPT_SEARCH } VizPrompt;

typedef struct {
    float x, y;           /* where it is */
    float last_x, last_y; /* where it was before */
    float down_x, down_y; /* where the button went down */
} VizMouse;

typedef struct {
    /* From whoever opens it: */
    VizRun run;
    const char *command; /* what a command line that opens the same run begins with */
    const char *name;    /* of pictures: without folder and extension */
    /* Opens the file anew in place of the run, which stays as it is on failure. NULL: cannot. */
    bool (*reload)(void *context, VizRun *run, TspError *err);
    /* Puts file and line in front of an error of the run; may be NULL. */
    void (*locate)(const TspProgram *program, TspError *err);
    void *context;
    /* What it shows: */
    VizView view;
    int32_t width, height; /* pixels */
    VizBreaks breaks;
    VizPrompt prompt;
    char typed[VIZ_SEARCH_MAX];
    char message[VIZ_CAPTION_MAX]; /* until the next key */
    struct VizGuide *guide;        /* of a tour, see guide.h; NULL: none */
    char told[VIZ_CAPTION_MAX];    /* by it, in every picture until it says something else */
    int64_t arrive;                /* cycle that it has time run to; -1: it does not */
    VizMouse mouse;
    TspError offence; /* why the run stops, if that is known; kind TSP_OK: it does not */
    TspError failure; /* of the last look, likewise */
    int64_t looked;   /* cycle of that look, -1: none */
    VizFont *font;
    VizCanvas *canvas;  /* of the last picture: what a click hits */
    bool again;         /* keys that come now repeat because they are held */
    bool quit, changed; /* changed: what is shown is no longer what was drawn */
    float first_scale;  /* that Ctrl+0 goes back to */
} VizApp;

/* Runs with more issues are not tried to their end beforehand: what only data make illegal is then
 * told in the cycle in which it happens, and before that not. */
#define VIZ_TRIED_MOST 4000000

/* The run is open and stays the caller's to close. The view is the first one, 1280 x 800. */
bool viz_app_open(VizApp *app, TspError *err);
void viz_app_close(VizApp *app); /* all but the run */

/* A key goes down, or the mouse does something: "a", "Shift+Right", "Ctrl+1", "Click", "Wheel up";
 * see actions.h. Whether it meant anything. */
bool viz_app_key(VizApp *app, const char *key);
/* Text typed: into the prompt if there is one, else every character is a key. */
void viz_app_text(VizApp *app, const char *text);
void viz_app_mouse(VizApp *app, float x, float y); /* it moves */
void viz_app_press(VizApp *app);                   /* its button goes down where it is */
/* Seconds go by; only while playing does it matter. */
void viz_app_pass(VizApp *app, double seconds);

/* The picture of now. */
bool viz_app_draw(VizApp *app, VizImage *image, TspError *err);
/* The picture that the command line makes: without mouse, motion, prompts and messages. */
bool viz_app_draw_still(VizApp *app, VizImage *image, TspError *err);
/* Writes that one, with its command line as a note. */
bool viz_app_write(VizApp *app, const char *path, TspError *err);

/* -- the view as options of a command line (options.c) -- */
/* The whole command line, without what is as it is at first. */
void viz_app_command(const VizApp *app, char command[VIZ_COMMAND_MAX]);
/* Sets one, by its name without dashes. TSP_ERR_INPUT says what was expected. */
bool viz_app_option(VizApp *app, const char *name, const char *text, TspError *err);
/* A word as a shell takes it, quoted if need be, added to a text of `size`; false: no room. */
bool viz_quote(char *text, size_t size, const char *word);

/* -- for the actions -- */
/* The run is another one: looks for its offence. */
void viz_app_try(VizApp *app);
void viz_app_say(VizApp *app, const char *format, ...) __attribute__((format(printf, 2, 3)));
void viz_app_go(VizApp *app, int64_t cycle); /* held to the run; stops playing */
void viz_app_select(VizApp *app, VizThing thing);
/* Where a panel's inside is now. */
VizRect viz_app_area(const VizApp *app, VizPanel panel);
/* The panel at a point, VIZ_PANELS: none. */
VizPanel viz_app_panel_at(const VizApp *app, float x, float y);
/* What the last picture has there; a panel's ground is a thing too. */
VizThing viz_app_pick(const VizApp *app, float x, float y);
/* Three decimals, as the command line has them. */
double viz_tidy(double value);

#endif
