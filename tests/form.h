/* form.h - graphs of one node, written in few words.
 */
#ifndef TSP_TESTS_FORM_H
#define TSP_TESTS_FORM_H
#include "operator_case.h"

/* Tensors are "name dtype shape", divided by |, known ones with " data" behind; @ is the type. */
typedef struct {
    const char *op, *attributes, *inputs, *known;
    const char *names;   /* of the node's operands, divided by commas; "-": left out */
    const char *outputs; /* the same */
} Form;

static inline char *form_type(char *to, const char *from, const char *type) {
    for (; *from; from++) to += *from == '@' ? sprintf(to, "%s", type) : sprintf(to, "%c", *from);
    return to;
}

static inline char *form_tensors(char *end, const char *list, const char *type) {
    for (int32_t i = 0; list && *list; i++) {
        char name[20], dtype[20], shape[40];
        int used = 0;
        ck_assert_int_eq(sscanf(list, "%19s %19s %39[][0-9,]%n", name, dtype, shape, &used), 3);
        list += used;
        end += sprintf(end, "%s{\"name\": \"%s\", \"dtype\": \"", i ? ", " : "", name);
        end = form_type(end, dtype, type);
        end += sprintf(end, "\", \"shape\": %s", shape);
        used = (int)strcspn(list, "|");
        if (used) end += sprintf(end, ", %.*s", used, list);
        end += sprintf(end, "}");
        list += used + (list[used] == '|');
    }
    return end;
}

static inline char *form_names(char *end, const char *list) {
    for (int32_t i = 0; *list; i++) {
        const int used = (int)strcspn(list, ",");
        const bool none = used == 1 && *list == '-';
        end += sprintf(end, "%s\"%.*s\"", i ? ", " : "", none ? 0 : used, list);
        list += used + (list[used] == ',');
    }
    return end;
}

static inline void write_form(char *text, const Form *f, const char *type) {
    char *end = text + sprintf(text, "{\"inputs\": [");
    end = form_tensors(end, f->inputs, type);
    end += sprintf(end, "], \"initializers\": [");
    end = form_tensors(end, f->known, type);
    end += sprintf(end, "], \"nodes\": [{\"op\": \"%s\", \"inputs\": [", f->op);
    end = form_names(end, f->names);
    end += sprintf(end, "], \"outputs\": [");
    end = form_names(end, f->outputs ? f->outputs : "y");
    end += sprintf(end, "], \"attributes\": {%s}}], \"outputs\": [", f->attributes);
    end = form_names(end, f->outputs ? f->outputs : "y");
    sprintf(end, "]}");
}

#endif
