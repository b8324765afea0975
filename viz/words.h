/* words.h - how panels write numbers, streams, tensors and places.
 */
#ifndef TSP_VIZ_WORDS_H
#define TSP_VIZ_WORDS_H
#include "view.h"

enum { VIZ_WORDS = 160 };

/* Each fills the buffer and returns it, so that it can stand among the arguments of a printf. */
const char *viz_count_text(char text[VIZ_WORDS], int64_t count); /* 12,345; negative too */
/* Cycles as time: "0.873 µs"; ns below 0.1, ms from 1000. */
const char *viz_time_text(char text[VIZ_WORDS], const TspMachine *m, double cycles);
const char *viz_bytes_text(char text[VIZ_WORDS], int64_t bytes); /* 784 B, 98 KiB, 1.5 MiB */
/* s4.e, or s4-7.e */
const char *viz_stream_text(char text[VIZ_WORDS], int32_t stream, int32_t count);
/* 64 x 784 with a multiplication sign; "scalar" */
const char *viz_shape_text(char text[VIZ_WORDS], const TspTensor *tensor);
const char *viz_queue_text(char text[VIZ_WORDS], const TspMachine *m, int32_t queue);
/* mem.w3 0x0010 */
const char *viz_row_text(char text[VIZ_WORDS], const TspMachine *m, int32_t slice, int32_t row);
/* The instruction as it issues. */
const char *viz_issue_text(char text[VIZ_WORDS], const VizRun *run, const VizIssue *issue);
/* layer1.bias, or "op 3" if it has no name */
const char *viz_op_text(char text[VIZ_WORDS], const TspProgram *p, int32_t op);
/* input, constant, output, internal */
const char *viz_tensor_role_text(TspTensorRole role);

#endif
