/* cld3.h - cld3's own numbers as a model. */
#ifndef LANGID_CLD3_H
#define LANGID_CLD3_H

struct err;
struct langid;

/* From a safetensors file with tensors embedding.N.weight [ids, dim] (U8; F32 and BF16 are taken
 * too), embedding.N.scale [ids] of U8 ones, hidden.weight [D, hidden], hidden.bias, output.weight
 * [hidden, labels], output.bias, and in its metadata "labels" and "groups", space-separated.
 * NULL on failure. */
struct langid *cld3_load(const char *path, struct err *err);

#endif
