/* notice_setting.h - how far findings beside rules go, as nodes of the tree say; role center. */
#pragma once
#include "detect/notice.h"
#include "detect/stage.h"
#include "org/act.h"

struct yg_notice_setting {
	enum yg_detect_stage stage;
	bool own; /* said by the node itself */
};
/* Where nobody said otherwise: beacons and unusual volume are seen every day, so they are
 * findings (notice_found.h) without an alert; the others are alerts. */
enum yg_detect_stage yg_notice_default(enum yg_notice_kind k);
/* What holds at a node (empty: what is said for all), by kind. */
yg_status yg_notice_settings(struct yg_state *db, struct yg_sv org,
			     struct yg_notice_setting out[static YG_NOTICE_KIND_COUNT],
			     struct yg_err *err);
/* stage NULL: as what is above says.  YG_NOTFOUND (org). */
yg_status yg_notice_setting_set(struct yg_act *act, struct yg_sv org, enum yg_notice_kind kind,
				const enum yg_detect_stage *stage, struct yg_err *err) YG_MUST_USE;
