/* tensors.c - see tensors.h.
 *
 * What is trusted: nothing. The header is bounded, is strict JSON without repeated keys, every
 * range equals the product of its shape, lies in the file, touches no other and leaves no gap,
 * so that a file cut or damaged in its layout is always noticed.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/mem.h"
#include "tensors/tensors.h"

#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "tensors.c copies little-endian numbers as they are"
#endif

#define HEADER_MAX ((uint64_t)100 << 20)    // as the reference reader
#define INDEX_FILE "model.safetensors.index.json"

struct file {
    char *path;
    unsigned char *map;
    size_t size;
};

struct meta {
    char *key, *value;
};

struct tensors {
    char *path;    // as it was asked for
    struct file *file;
    size_t n_file;
    struct tensor *t;
    size_t n, cap;
    struct meta *meta;
    size_t n_meta;
};

static int file_map(struct file *f, const char *path, struct err *err)
{
    struct stat st;
    int fd = open(path, O_RDONLY | O_CLOEXEC);

    f->path = xstrdup(path);
    if (fd < 0) {
        err_set(err, "%s: %s", path, strerror(errno));
        return -1;
    }
    if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || st.st_size < 8) {
        close(fd);
        err_set(err, "%s: not a safetensors file (%s)", path,
                S_ISREG(st.st_mode) ? "shorter than 8 bytes" : "not a regular file");
        return -1;
    }
    f->size = (size_t)st.st_size;
    f->map = mmap(NULL, f->size, PROT_READ, MAP_PRIVATE, fd, 0);
    close(fd);
    if (f->map == MAP_FAILED) {
        f->map = NULL;
        err_set(err, "%s: cannot map: %s", path, strerror(errno));
        return -1;
    }
    return 0;
}

/* A whole number that fits, or -1. */
static int64_t json_whole(const json_t *j)
{
    json_int_t x = json_is_integer(j) ? json_integer_value(j) : -1;

    return x < 0 ? -1 : (int64_t)x;
}

static int read_shape(const char *path, const char *name, const json_t *j, struct tensor *t,
                      struct err *err)
{
    size_t i;

    if (!json_is_array(j) || json_array_size(j) > TENSOR_DIM_MAX)
        return err_set(err, "%s: %s: shape is not a list of at most %d numbers", path, name,
                       TENSOR_DIM_MAX);
    t->n_dim = (int)json_array_size(j);
    t->n = 1;
    for (i = 0; i < json_array_size(j); i++) {
        int64_t d = json_whole(json_array_get(j, i));

        if (d < 0 || (t->n && (uint64_t)d > (uint64_t)INT64_MAX / 8 / t->n))
            return err_set(err, "%s: %s: senseless shape", path, name);
        t->dim[i] = d;
        t->n *= (size_t)d;
    }
    return 0;
}

static int read_type(const char *path, const char *name, const json_t *j, struct tensor *t,
                     struct err *err)
{
    const char *word = json_string_value(j);
    int i;

    for (i = 0; word && i < N_TENSOR_TYPE; i++)
        if (!strcmp(word, tensor_kinds[i].name)) {
            t->type = (enum tensor_type)i;
            return 0;
        }
    return err_set(err, "%s: %s: dtype '%s' is not one we read", path, name, word ? word : "?");
}

static int read_entry(const struct file *f, size_t base, const char *name, const json_t *j,
                      struct tensor *t, struct err *err)
{
    const json_t *range = json_object_get(j, "data_offsets");
    int64_t begin, end;

    *t = (struct tensor){ 0 };
    if (read_type(f->path, name, json_object_get(j, "dtype"), t, err) < 0 ||
        read_shape(f->path, name, json_object_get(j, "shape"), t, err) < 0)
        return -1;
    begin = json_whole(json_array_get(range, 0));
    end = json_whole(json_array_get(range, 1));
    if (json_array_size(range) != 2 || begin < 0 || end < begin || (uint64_t)end > f->size - base)
        return err_set(err, "%s: %s: data_offsets are not a range in the file", f->path, name);
    if ((size_t)(end - begin) != t->n * tensor_kinds[t->type].size)
        return err_set(err, "%s: %s: %lld bytes for a shape of %zu", f->path, name,
                       (long long)(end - begin), t->n * tensor_kinds[t->type].size);
    t->data = f->map + base + begin;
    t->name = xstrdup(name);
    return 0;
}

static int by_place(const void *a, const void *b)
{
    const struct tensor *x = a, *y = b;

    if (x->data != y->data)
        return (const char *)x->data < (const char *)y->data ? -1 : 1;
    return (x->n > y->n) - (x->n < y->n);    // empty ones first
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct tensor *)a)->name, ((const struct tensor *)b)->name);
}

/* t[0 .. n) of one file: end to end from base to the file's end. */
static int check_cover(const struct file *f, size_t base, struct tensor *t, size_t n,
                       struct err *err)
{
    const unsigned char *at = f->map + base;
    size_t i;

    if (n)
        qsort(t, n, sizeof(*t), by_place);
    for (i = 0; i < n; i++) {
        const unsigned char *data = t[i].data;

        if (data != at)
            return err_set(err, "%s: %s: %s", f->path, t[i].name,
                           data < at ? "overlaps another tensor" : "a gap lies before it");
        at = data + t[i].n * tensor_kinds[t[i].type].size;
    }
    if (at != f->map + f->size)
        return err_set(err, "%s: %zu bytes after the last tensor", f->path,
                       (size_t)(f->map + f->size - at));
    return 0;
}

static int read_meta(struct tensors *t, const char *path, json_t *meta, struct err *err)
{
    const char *key;
    json_t *value;

    if (!json_is_object(meta))
        return err_set(err, "%s: __metadata__ is not an object", path);
    json_object_foreach(meta, key, value)
    {
        if (!json_is_string(value))
            return err_set(err, "%s: __metadata__: %s is not a string", path, key);
        t->meta = xreallocarray(t->meta, t->n_meta + 1, sizeof(*t->meta));
        t->meta[t->n_meta++] = (struct meta){ xstrdup(key), xstrdup(json_string_value(value)) };
    }
    return 0;
}

static int read_entries(struct tensors *t, const struct file *f, size_t base, json_t *header,
                        struct err *err)
{
    size_t first = t->n;
    const char *name;
    json_t *value;

    json_object_foreach(header, name, value)
    {
        if (!strcmp(name, "__metadata__")) {
            if (read_meta(t, f->path, value, err) < 0)
                return -1;
            continue;
        }
        if (t->n == t->cap) {
            t->cap = 2 * t->cap + 64;
            t->t = xreallocarray(t->t, t->cap, sizeof(*t->t));
        }
        if (read_entry(f, base, name, value, &t->t[t->n], err) < 0)
            return -1;
        t->n++;
    }
    return check_cover(f, base, t->t + first, t->n - first, err);
}

static int add_file(struct tensors *t, const char *path, struct err *err)
{
    struct file *f;
    uint64_t n;
    json_t *header;
    json_error_t bad;
    int rc = -1;

    t->file = xreallocarray(t->file, t->n_file + 1, sizeof(*t->file));
    f = &t->file[t->n_file++];
    *f = (struct file){ 0 };
    if (file_map(f, path, err) < 0)
        return -1;
    memcpy(&n, f->map, 8);
    if (n > HEADER_MAX || n > f->size - 8)
        return err_set(err, "%s: header of %llu bytes in a file of %zu", path,
                       (unsigned long long)n, f->size);
    header = json_loadb((const char *)f->map + 8, n, JSON_REJECT_DUPLICATES, &bad);
    if (!header)
        return err_set(err, "%s: header: byte %d: %s", path, bad.position + 8, bad.text);
    if (json_is_object(header))
        rc = read_entries(t, f, 8 + (size_t)n, header, err);
    else
        err_set(err, "%s: header is not an object", path);
    json_decref(header);
    return rc;
}

/* A name that stays in its folder. */
static int plain_name(const char *s)
{
    return s && *s && !strchr(s, '/') && strcmp(s, ".") != 0 && strcmp(s, "..") != 0;
}

static int add_once(struct tensors *t, const char *folder, const char *name, struct err *err)
{
    char *path = xasprintf("%s/%s", folder, name);
    size_t i;
    int rc = 0;

    for (i = 0; i < t->n_file && strcmp(t->file[i].path, path) != 0; i++)
        ;
    if (i == t->n_file)
        rc = add_file(t, path, err);
    free(path);
    return rc;
}

/* Names must be unique over all files. */
static int order(struct tensors *t, struct err *err)
{
    size_t i;

    if (t->n)
        qsort(t->t, t->n, sizeof(*t->t), by_name);
    for (i = 1; i < t->n; i++)
        if (!strcmp(t->t[i - 1].name, t->t[i].name))
            return err_set(err, "%s: %s comes twice", t->file[0].path, t->t[i].name);
    return 0;
}

static int add_index(struct tensors *t, const char *folder, const char *index, struct err *err)
{
    json_error_t bad;
    json_t *j = json_load_file(index, JSON_REJECT_DUPLICATES, &bad);
    json_t *map = json_object_get(j, "weight_map"), *value;
    const char *name;
    int rc = 0;

    if (!json_is_object(map))
        rc = err_set(err, "%s: %s", index, j ? "no weight_map" : bad.text);
    if (rc == 0)
        json_object_foreach(map, name, value)
        {
            if (!plain_name(json_string_value(value)))
                rc = err_set(err, "%s: %s: not the name of a file beside it", index, name);
            else
                rc = add_once(t, folder, json_string_value(value), err);
            if (rc < 0)
                break;
        }
    if (rc == 0)
        rc = order(t, err);
    if (rc == 0)
        json_object_foreach(map, name, value)
        {
            if (!tensors_find(t, name)) {
                rc = err_set(err, "%s: no file has %s", index, name);
                break;
            }
        }
    json_decref(j);
    return rc;
}

static int text_order(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static int ends_in(const char *name, const char *end)
{
    size_t n = strlen(name), m = strlen(end);

    return n > m && !strcmp(name + n - m, end);
}

int tensors_is_pickled(const char *path)
{
    struct stat st;

    return (ends_in(path, ".bin") || ends_in(path, ".pt") || ends_in(path, ".pth")) &&
           stat(path, &st) == 0 && S_ISREG(st.st_mode);
}

int tensors_refuse_pickled(const char *path, struct err *err)
{
    return err_set(err,
                   "%s: PyTorch's pickled files (.bin, .pt) are programs to be run: save the model "
                   "as safetensors where it came from",
                   path);
}

static int add_folder(struct tensors *t, const char *folder, struct err *err)
{
    DIR *d = opendir(folder);
    struct dirent *e;
    char **name = NULL, *pickled = NULL;
    size_t i, n = 0;
    int rc = 0;

    if (!d)
        return err_set(err, "%s: %s", folder, strerror(errno));
    while ((e = readdir(d)) != NULL) {
        if (!ends_in(e->d_name, ".safetensors")) {
            char *path = xasprintf("%s/%s", folder, e->d_name);
            int is = !pickled && tensors_is_pickled(path);

            if (is)
                pickled = path;
            else
                free(path);
            continue;
        }
        name = xreallocarray(name, n + 1, sizeof(*name));
        name[n++] = xstrdup(e->d_name);
    }
    closedir(d);
    if (n)
        qsort(name, n, sizeof(*name), text_order);
    else if (pickled)
        rc = tensors_refuse_pickled(pickled, err);
    else
        rc = err_set(err, "%s: no safetensors file in it", folder);
    free(pickled);
    for (i = 0; i < n; i++) {
        if (rc == 0)
            rc = add_once(t, folder, name[i], err);
        free(name[i]);
    }
    free(name);
    return rc < 0 ? rc : order(t, err);
}

struct tensors *tensors_open(const char *path, struct err *err)
{
    struct tensors *t = xcalloc(1, sizeof(*t));
    char *index = xasprintf("%s/" INDEX_FILE, path);
    struct stat st;
    int rc;

    t->path = xstrdup(path);
    if (stat(path, &st) < 0)
        rc = err_set(err, "%s: %s", path, strerror(errno));
    else if (!S_ISDIR(st.st_mode))
        rc = add_file(t, path, err) < 0 ? -1 : order(t, err);
    else if (access(index, F_OK) == 0)
        rc = add_index(t, path, index, err);
    else
        rc = add_folder(t, path, err);
    free(index);
    if (rc < 0) {
        tensors_close(t);
        return NULL;
    }
    return t;
}

size_t tensors_n(const struct tensors *t)
{
    return t->n;
}

const struct tensor *tensors_at(const struct tensors *t, size_t i)
{
    return &t->t[i];
}

const struct tensor *tensors_find(const struct tensors *t, const char *name)
{
    struct tensor key = { .name = name };

    return t->n ? bsearch(&key, t->t, t->n, sizeof(*t->t), by_name) : NULL;
}

const char *tensors_path(const struct tensors *t, const struct tensor *x)
{
    size_t i;

    for (i = 0; x && i < t->n_file; i++) {
        uintptr_t at = (uintptr_t)x->data - (uintptr_t)t->file[i].map;

        if (at <= t->file[i].size)    // it may have no bytes, at the end
            return t->file[i].path;
    }
    return t->path;
}

const char *tensors_meta(const struct tensors *t, const char *key)
{
    size_t i;

    for (i = 0; i < t->n_meta; i++)
        if (!strcmp(t->meta[i].key, key))
            return t->meta[i].value;
    return NULL;
}

void tensors_close(struct tensors *t)
{
    size_t i;

    if (!t)
        return;
    for (i = 0; i < t->n; i++)
        free((char *)t->t[i].name);
    for (i = 0; i < t->n_meta; i++) {
        free(t->meta[i].key);
        free(t->meta[i].value);
    }
    for (i = 0; i < t->n_file; i++) {
        if (t->file[i].map)
            munmap(t->file[i].map, t->file[i].size);
        free(t->file[i].path);
    }
    free(t->file);
    free(t->meta);
    free(t->t);
    free(t->path);
    free(t);
}
