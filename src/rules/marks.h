/* marks.h - which marks end a line well, and which a sentence. */
#ifndef RULES_MARKS_H
#define RULES_MARKS_H

#include <stdint.h>

#include "base/mem.h"

enum end_marks {
    MARKS_C4,           // . ? ! "
    MARKS_DATATROVE,    // and '
    MARKS_ALL,          // and what ends a sentence in any script, closing marks after it or none
};

/* Whether a line ends in one of them, and not in "...". */
int marks_end(struct bytes line, enum end_marks marks);

/* Whether c ends sentences: Unicode's property STerm and five marks of Khmer. With Unicode 15 these
 * are the 159 that datatrove counts. */
int marks_terminal(uint32_t c);

#endif
