/* zones_file.c - when the file of a zone is to be read. */
#include "role/zones_internal.h"

static bool state_of(const char *path, struct zone_state *out)
{
	struct stat st;
	if (stat(path, &st) != 0)
		return false;
	*out = (struct zone_state){
		.mtime_ns = (int64_t)st.st_mtim.tv_sec * 1000000000 + st.st_mtim.tv_nsec,
		.ctime_ns = (int64_t)st.st_ctim.tv_sec * 1000000000 + st.st_ctim.tv_nsec,
		.size = st.st_size,
		.inode = st.st_ino};
	return true;
}

static bool state_eq(const struct zone_state *a, const struct zone_state *b)
{
	return a->mtime_ns == b->mtime_ns && a->ctime_ns == b->ctime_ns && a->size == b->size &&
	       a->inode == b->inode;
}

/* One that was just written to is left alone until it has been quiet for one look:
 * half a file may well be a whole zone. */
bool zones_state_changed(const char *path, struct zone_state *seen, struct zone_state *waiting,
			 bool *tried, bool *is_waiting, bool at_once)
{
	struct zone_state now = {.size = -1};
	(void)state_of(path, &now); /* none: opening it says why, once */
	if (*tried && state_eq(&now, seen)) {
		*is_waiting = false;
		return false;
	}
	if (!at_once && (!*is_waiting || !state_eq(&now, waiting))) {
		*is_waiting = true;
		*waiting = now;
		return false;
	}
	*tried = true;
	*is_waiting = false;
	*seen = now;
	return true;
}

void zones_file_look(struct zone *z, bool at_once)
{
	if (zones_state_changed(z->path, &z->seen, &z->waiting, &z->tried, &z->is_waiting,
				at_once) ||
	    z->to_read)
		zones_read(z);
}
