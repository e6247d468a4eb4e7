/* mesh.c - see mesh.h. */
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "comm/mesh.h"

enum { RANK_MAX = 1 << 20 };

int mesh_read(struct mesh *m, const char *text, struct err *err)
{
    static const char *const name[] = { "data", "model", "expert" };
    int *to[] = { &m->n_data, &m->n_model, &m->n_expert };
    const char *at = text;

    *m = (struct mesh){ 0 };
    while (at) {
        size_t len = strcspn(at, "="), i;
        char *end;
        long n;

        for (i = 0; i < 3 && (strlen(name[i]) != len || strncmp(at, name[i], len) != 0); i++)
            ;
        if (i == 3 || at[len] != '=' || at[len + 1] < '0' || at[len + 1] > '9')
            return err_set(err, "mesh %s: not data=N,model=N,expert=N", text);
        n = strtol(at + len + 1, &end, 10);
        if (*to[i] || n < 1 || n > RANK_MAX || (*end && *end != ','))
            return err_set(err, "mesh %s: each axis once, with a number from 1", text);
        *to[i] = (int)n;
        at = *end ? end + 1 : NULL;
    }
    return 0;
}

int mesh_complete(struct mesh *m, int n_rank, int n_expert, struct err *err)
{
    if (!m->n_model && m->n_data && n_rank % m->n_data == 0)
        m->n_model = n_rank / m->n_data;
    if (!m->n_model)
        m->n_model = 1;
    if (!m->n_data)
        m->n_data = n_rank / m->n_model;
    if ((long)m->n_data * m->n_model != n_rank)
        return err_set(err, "mesh of data=%d x model=%d: there are %d ranks", m->n_data, m->n_model,
                       n_rank);
    if (m->n_expert && m->n_data % m->n_expert != 0)
        return err_set(err, "mesh: expert=%d does not divide data=%d", m->n_expert, m->n_data);
    if (m->n_expert > 1 && m->n_expert > n_expert)
        return err_set(err, "mesh: expert=%d, but there are %d experts", m->n_expert, n_expert);
    if (m->n_expert)
        return 0;
    for (m->n_expert = m->n_data; m->n_expert > 1; m->n_expert--)
        if (m->n_data % m->n_expert == 0 && m->n_expert <= n_expert)
            break;
    return 0;
}
