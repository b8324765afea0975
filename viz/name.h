/* name.h - things by name, as --select, searches and captions have them.
 *
 * "mxm.e.0.weights" (a queue), "op:NAME", "tensor:NAME", "burst:N", "row:mem.e0:12",
 * "register:s4.e:7", "cycle:N". Of ops or tensors of one name the first has it; the others are
 * "op:#N" and "tensor:#N", N the index in the program.
 */
#ifndef TSP_VIZ_NAME_H
#define TSP_VIZ_NAME_H
#include "view.h"

enum { VIZ_NAME_MAX = 200 };

/* "" for nothing, and for what has no name of its own. */
void viz_thing_name(const VizRun *run, VizThing thing, char name[VIZ_NAME_MAX]);
/* The other way; TSP_ERR_INPUT, with the ways to name things, if there is no such thing. */
bool viz_thing_find(const VizRun *run, const char *name, VizThing *thing, TspError *err);

/* Whether an op, a tensor or a queue that does something has the text in its name (ASCII letters of
 * either case); nothing has the empty one. */
bool viz_matches(const VizRun *run, VizThing thing, const char *text);
/* The next thing after `from`, or before it, that matches: ops, then
 * tensors, then queues; round and round. From what is not
 * among them: the first, or the last. False if nothing has it, or the text is empty. */
bool viz_search(const VizRun *run, const char *text, VizThing from, bool forward, VizThing *found);

#endif
