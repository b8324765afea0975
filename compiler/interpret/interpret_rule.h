/* interpret_rule.h - element-wise operators by rules: a value, and how far the machine may be.
 */
#ifndef TSP_INTERPRET_RULE_H
#define TSP_INTERPRET_RULE_H
#include "interpret_parts.h"

enum { RULE_INPUTS = TSP_NODE_INPUTS };

/* One element of each operand, and its tolerance; left-out bounds of Clip are infinities. */
typedef struct {
    const TspNode *node;
    TspDtype type; /* of the result */
    double x[RULE_INPUTS], error[RULE_INPUTS];
} Elements;

/* rounds: the machine's last rounding may differ from ours although the operands are exact. */
typedef struct {
    double (*value)(const Elements *e);
    double (*error)(const Elements *e);
    bool rounds;
} Rule;

/* Of the operators that are curves of many steps on the machine: interpret_curves.c. */
const Rule *interpret_curve_rule(const TspNode *node);

#endif
