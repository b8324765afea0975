/* fuse.h - what is made of stages when all nodes are lowered: what the files of the fuse pass
 * share.
 */
#ifndef TSP_FUSE_H
#define TSP_FUSE_H
#include "compiler/stage.h"

/* stages.c: stages that hand rows on through memory become one, where that is worth it. */
bool fuse_stages(Module *m, TspError *err);

/* balance.c: inserts steps that pass values on, so that all of the stage meets in time; false, and
 * the stage as it was, if it would have more than MAX_STEPS, or operands than MAX_OPERANDS. Not for
 * stages whose steps take FROM_SELF. Operands of which `again` has a bit are read once for each
 * time at which they are taken: that of time i has `copy` i. */
bool fuse_balance(Stage *s, uint32_t again);
/* reread.c: the same, where operands are read again if that is better than that they wait. */
bool fuse_reread(const Module *m, Stage *s);
/* After all stages have settled: the copies that they read. */
void fuse_want_copies(Module *m);
/* scale.c: the same, without factors that are powers of two where that saves steps. The ranges of
 * tensors are known. */
bool fuse_settle(const Module *m, Stage *s);
/* scaled.c: the constants that stages take times a power of two. */
bool fuse_make_scaled(Module *m, TspError *err);

/* interleave.c: wide products and what follows them take turns. */
bool fuse_interleave(Module *m, TspError *err);

#endif
