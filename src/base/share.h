/* share.h - files that are installed with the tools: presets, models. */
#ifndef BASE_SHARE_H
#define BASE_SHARE_H

/* The path of share/NAME: in $SWITCHYARD_SHARE if that is set, else in ../share beside the
 * folder of the executable, else in ../share/switchyard/share (as installed). NULL when there
 * is none. The caller frees it. */
char *share_find(const char *name);

#endif
