/* preset.h - a config by the name of a preset. */
#ifndef SHAPE_PRESET_H
#define SHAPE_PRESET_H

struct config;
struct err;

/* Read word: a file, a folder with a config.json, or else the name of a preset in
 * share/presets. 0 or -1. */
int config_find(struct config *c, const char *word, struct err *err);

#endif
