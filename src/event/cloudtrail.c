/* cloudtrail.c - AWS CloudTrail records, as docs.aws.amazon.com/awscloudtrail
 * ("CloudTrail record contents", record versions 1.0 to 1.11) has them.
 * doc/sources/cloudtrail.md has the table of what goes where. */
#include "event/node.h"
#include "event/norm.h"
#include "format/json_records.h"

/* IAM and sign-in calls that OCSF has classes of its own for. */
struct call {
	const char *name;
	uint32_t class_uid;
	uint8_t activity_id;
};
static const struct call iam_calls[] = {
	{"CreateUser", YG_OCSF_ACCOUNT_CHANGE, 1},
	{"DeleteUser", YG_OCSF_ACCOUNT_CHANGE, 6},
	{"CreateLoginProfile", YG_OCSF_ACCOUNT_CHANGE, 2},
	{"UpdateLoginProfile", YG_OCSF_ACCOUNT_CHANGE, 4},
	{"DeleteLoginProfile", YG_OCSF_ACCOUNT_CHANGE, 5},
	{"ChangePassword", YG_OCSF_ACCOUNT_CHANGE, 3},
	{"AttachUserPolicy", YG_OCSF_ACCOUNT_CHANGE, 7},
	{"PutUserPolicy", YG_OCSF_ACCOUNT_CHANGE, 7},
	{"DetachUserPolicy", YG_OCSF_ACCOUNT_CHANGE, 8},
	{"DeleteUserPolicy", YG_OCSF_ACCOUNT_CHANGE, 8},
	{"EnableMFADevice", YG_OCSF_ACCOUNT_CHANGE, 10},
	{"DeactivateMFADevice", YG_OCSF_ACCOUNT_CHANGE, 11},
	{"CreateAccessKey", YG_OCSF_ACCOUNT_CHANGE, 99},
	{"UpdateAccessKey", YG_OCSF_ACCOUNT_CHANGE, 99},
	{"DeleteAccessKey", YG_OCSF_ACCOUNT_CHANGE, 99},
	{"UpdateUser", YG_OCSF_ACCOUNT_CHANGE, 99},
	{"CreateRole", YG_OCSF_ENTITY_MANAGEMENT, 1},
	{"UpdateRole", YG_OCSF_ENTITY_MANAGEMENT, 3},
	{"DeleteRole", YG_OCSF_ENTITY_MANAGEMENT, 4},
	{"CreatePolicy", YG_OCSF_ENTITY_MANAGEMENT, 1},
	{"CreatePolicyVersion", YG_OCSF_ENTITY_MANAGEMENT, 3},
	{"DeletePolicy", YG_OCSF_ENTITY_MANAGEMENT, 4},
	{"AttachRolePolicy", YG_OCSF_USER_ACCESS, 1},
	{"PutRolePolicy", YG_OCSF_USER_ACCESS, 1},
	{"UpdateAssumeRolePolicy", YG_OCSF_USER_ACCESS, 1},
	{"AddRoleToInstanceProfile", YG_OCSF_USER_ACCESS, 1},
	{"DetachRolePolicy", YG_OCSF_USER_ACCESS, 2},
	{"DeleteRolePolicy", YG_OCSF_USER_ACCESS, 2},
	{"RemoveRoleFromInstanceProfile", YG_OCSF_USER_ACCESS, 2},
	{"CreateGroup", YG_OCSF_GROUP_MANAGEMENT, 6},
	{"DeleteGroup", YG_OCSF_GROUP_MANAGEMENT, 5},
	{"AddUserToGroup", YG_OCSF_GROUP_MANAGEMENT, 3},
	{"RemoveUserFromGroup", YG_OCSF_GROUP_MANAGEMENT, 4},
	{"AttachGroupPolicy", YG_OCSF_GROUP_MANAGEMENT, 1},
	{"PutGroupPolicy", YG_OCSF_GROUP_MANAGEMENT, 1},
	{"DetachGroupPolicy", YG_OCSF_GROUP_MANAGEMENT, 2},
	{"DeleteGroupPolicy", YG_OCSF_GROUP_MANAGEMENT, 2},
};
static const struct call sign_in_calls[] = {
	{"ConsoleLogin", YG_OCSF_AUTHENTICATION, 1},
	{"SwitchRole", YG_OCSF_AUTHENTICATION, 7},
	{"ExitRole", YG_OCSF_AUTHENTICATION, 7},
	{"CheckMfa", YG_OCSF_AUTHENTICATION, 99},
	{"UserAuthentication", YG_OCSF_AUTHENTICATION, 1},
	{"Logout", YG_OCSF_AUTHENTICATION, 2},
	{"CredentialChallenge", YG_OCSF_AUTHENTICATION, 99},
	{"CredentialVerification", YG_OCSF_AUTHENTICATION, 99},
	{"PasswordRecoveryRequested", YG_OCSF_ACCOUNT_CHANGE, 4},
	{"PasswordRecoveryCompleted", YG_OCSF_ACCOUNT_CHANGE, 4},
	{"PasswordUpdated", YG_OCSF_ACCOUNT_CHANGE, 3},
};
/* The verb that an API's name begins with; OCSF API activity 1 create, 2 read,
 * 3 update, 4 delete.  Longer verbs before shorter ones of the same beginning. */
static const struct {
	const char *verb;
	uint8_t activity_id;
} verbs[] = {
	{"Create", 1},  {"Run", 1},        {"Allocate", 1}, {"Register", 1},  {"Import", 1},
	{"Copy", 1},    {"Deregister", 4}, {"Delete", 4},   {"Terminate", 4}, {"Remove", 4},
	{"Release", 4}, {"Batch", 0},      {"Put", 3},      {"Update", 3},    {"Modify", 3},
	{"Set", 3},     {"Attach", 3},     {"Detach", 3},   {"Associate", 3}, {"Disassociate", 3},
	{"Add", 3},     {"Enable", 3},     {"Disable", 3},  {"Start", 3},     {"Stop", 3},
	{"Reboot", 3},  {"Tag", 3},        {"Untag", 3},    {"Authorize", 3}, {"Revoke", 3},
	{"Change", 3},  {"Replace", 3},    {"Restore", 3},  {"Reset", 3},     {"Get", 2},
	{"List", 2},    {"Describe", 2},   {"Lookup", 2},   {"Search", 2},    {"Head", 2},
	{"Query", 2},   {"Scan", 2},       {"Select", 2},   {"Decrypt", 2},   {"Download", 2},
	{"Check", 2},
};

struct state {
	struct yg_json_scan scan;
};

static bool find_call(const struct call *calls, size_t count, struct yg_sv name,
		      struct yg_event *ev)
{
	for (size_t i = 0; i < count; i++) {
		if (yg_sv_eq(name, yg_sv_of(calls[i].name))) {
			ev->class_uid = calls[i].class_uid;
			ev->activity_id = calls[i].activity_id;
			return true;
		}
	}
	return false;
}

static uint8_t activity_of(struct yg_sv name, bool read_only)
{
	for (size_t i = 0; i < YG_LEN(verbs); i++)
		if (verbs[i].activity_id != 0 && yg_sv_starts(name, yg_sv_of(verbs[i].verb)))
			return verbs[i].activity_id;
	return read_only ? 2 : 99;
}

static void classify(struct yg_norm *n, uint32_t root, struct yg_event *ev)
{
	bool read_only = yg_node_is(n, yg_node(n, root, YG_SV("readOnly")), YG_JSON_TRUE);
	struct yg_sv s = ev->api_service, name = ev->api_operation;
	if ((YG_SV_IS(s, "iam.amazonaws.com") &&
	     find_call(iam_calls, YG_LEN(iam_calls), name, ev)) ||
	    ((YG_SV_IS(s, "signin.amazonaws.com") || YG_SV_IS(s, "sso.amazonaws.com") ||
	      YG_SV_IS(s, "sso-directory.amazonaws.com") ||
	      YG_SV_IS(ev->event_code, "AwsConsoleSignIn")) &&
	     find_call(sign_in_calls, YG_LEN(sign_in_calls), name, ev)))
		return;
	ev->class_uid = YG_OCSF_API_ACTIVITY;
	ev->activity_id = activity_of(name, read_only);
}

/* "arn:aws:sts::1:assumed-role/Role/session" gives "Role/session". */
static struct yg_sv arn_name(struct yg_sv arn)
{
	size_t slash = yg_sv_find(arn, '/', 0);
	return slash < arn.n ? yg_sv_sub(arn, slash + 1, arn.n) : YG_SV("");
}

/* Who: by the kinds of userIdentity that AWS lists; a kind that is new falls to
 * the name, then the ARN, then the service, then the principal. */
static struct yg_sv identity(struct yg_norm *n, uint32_t id)
{
	struct yg_sv type = yg_node_member(n, id, YG_SV("type"));
	struct yg_sv name = yg_node_member(n, id, YG_SV("userName"));
	struct yg_sv arn = arn_name(yg_node_member(n, id, YG_SV("arn")));
	struct yg_sv service = yg_node_member(n, id, YG_SV("invokedBy"));
	struct yg_sv principal = yg_node_member(n, id, YG_SV("principalId"));
	if (YG_SV_IS(type, "Root"))
		return yg_sv_or(name, YG_SV("root"));
	if (YG_SV_IS(type, "AssumedRole") || YG_SV_IS(type, "FederatedUser"))
		return yg_sv_or(arn, yg_sv_or(name, principal));
	if (YG_SV_IS(type, "AWSService"))
		return service;
	if (YG_SV_IS(type, "IdentityCenterUser")) {
		struct yg_sv on_behalf =
			yg_node_member(n, yg_node(n, id, YG_SV("onBehalfOf")), YG_SV("userId"));
		return yg_sv_or(name, yg_sv_or(on_behalf, principal));
	}
	return yg_sv_or(name, yg_sv_or(arn, yg_sv_or(service, principal)));
}

/* Whom or what a call was about, as far as it is a person or a role. */
static struct yg_sv target(struct yg_norm *n, uint32_t request)
{
	static const struct yg_sv keys[] = {YG_SV_INIT("userName"), YG_SV_INIT("groupName"),
					    YG_SV_INIT("roleName"),
					    YG_SV_INIT("instanceProfileName")};
	for (size_t i = 0; i < YG_LEN(keys); i++) {
		struct yg_sv s = yg_node_member(n, request, keys[i]);
		if (s.n > 0)
			return s;
	}
	struct yg_sv role = yg_node_member(n, request, YG_SV("roleArn"));
	return yg_sv_or(arn_name(role), arn_name(yg_node_member(n, request, YG_SV("policyArn"))));
}

/* What a call was about, as a thing: an S3 object, or the first resource's ARN. */
static struct yg_sv object(struct yg_norm *n, uint32_t root, uint32_t request)
{
	struct yg_sv bucket = yg_node_member(n, request, YG_SV("bucketName"));
	struct yg_sv key = yg_node_member(n, request, YG_SV("key"));
	if (bucket.n > 0 && key.n > 0)
		return YG_NORM_JOIN(n, YG_SV("s3://"), bucket, YG_SV("/"), key);
	uint32_t resource = yg_node_first(n, yg_node(n, root, YG_SV("resources")));
	struct yg_sv arn = yg_node_member(n, resource, YG_SV("ARN"));
	if (arn.n > 0)
		return arn;
	return bucket.n > 0 ? YG_NORM_JOIN(n, YG_SV("s3://"), bucket) : YG_SV("");
}

/* An address, a service's name, or "AWS Internal", which is neither. */
static void source_address(struct yg_norm *n, struct yg_sv s, struct yg_event *ev)
{
	if (yg_ip_parse(s, &ev->src_ip) != YG_OK && yg_sv_find(s, ' ', 0) == s.n)
		ev->src_host = yg_norm_domain(n, s);
}

static void outcome(struct yg_norm *n, uint32_t root, struct yg_event *ev)
{
	struct yg_sv code = yg_node_member(n, root, YG_SV("errorCode"));
	struct yg_sv text = yg_node_member(n, root, YG_SV("errorMessage"));
	uint32_t response = yg_node(n, root, YG_SV("responseElements"));
	struct yg_sv said =
		yg_node_member(n, response, ev->api_operation); /* ConsoleLogin: Failure */
	bool failed = code.n > 0 || text.n > 0 || YG_SV_IS(said, "Failure");
	ev->status_id = failed ? 2 : 1;
	struct yg_sv why = yg_sv_or(code, text);
	struct yg_sv from = yg_node_member(n, root, YG_SV("sourceIPAddress"));
	ev->message = YG_NORM_JOIN(n, ev->api_operation, ev->user.n > 0 ? YG_SV(" by ") : YG_SV(""),
				   ev->user, from.n > 0 ? YG_SV(" from ") : YG_SV(""), from,
				   failed ? YG_SV(" failed") : YG_SV(""),
				   why.n > 0 ? YG_SV(": ") : YG_SV(""), why);
}

/* Words that are in no column: keys, ARNs and what a call made. */
static void more_names(struct yg_norm *n, uint32_t root, uint32_t id, uint32_t request)
{
	static const struct yg_sv keys[] = {
		YG_SV_INIT("accessKeyId"), YG_SV_INIT("arn"),          YG_SV_INIT("principalId"),
		YG_SV_INIT("roleName"),    YG_SV_INIT("policyArn"),    YG_SV_INIT("instanceId"),
		YG_SV_INIT("bucketName"),  YG_SV_INIT("functionName"), YG_SV_INIT("secretId"),
		YG_SV_INIT("name"),        YG_SV_INIT("groupId")};
	uint32_t response = yg_node(n, root, YG_SV("responseElements"));
	const uint32_t made[] = {
		id, request, response, yg_node(n, response, YG_SV("accessKey")),
		yg_node(n, yg_node(n, id, YG_SV("sessionContext")), YG_SV("sessionIssuer"))};
	for (size_t o = 0; o < YG_LEN(made); o++)
		for (size_t i = 0; i < YG_LEN(keys); i++)
			yg_norm_name(n, yg_node_member(n, made[o], keys[i]));
	uint32_t list = yg_node(n, root, YG_SV("resources"));
	uint32_t r = yg_node_first(n, list);
	for (unsigned i = 0; i < 16 && r != YG_NODE_NONE && r < yg_json_at(&n->json, list)->next;
	     i++) {
		yg_norm_name(n, yg_node_member(n, r, YG_SV("ARN")));
		r = yg_json_at(&n->json, r)->next;
	}
	yg_norm_name(n, yg_node_member(n, root, YG_SV("vpcEndpointId")));
}

static yg_status map(struct yg_norm *n, uint32_t root, struct yg_event *ev, struct yg_err *err)
{
	uint32_t id = yg_node(n, root, YG_SV("userIdentity")),
		 request = yg_node(n, root, YG_SV("requestParameters"));
	uint32_t insight = yg_node(n, root, YG_SV("insightDetails")),
		 tls = yg_node(n, root, YG_SV("tlsDetails"));
	ev->api_service = yg_sv_or(yg_node_member(n, root, YG_SV("eventSource")),
				   yg_node_member(n, insight, YG_SV("eventSource")));
	ev->api_operation = yg_sv_or(yg_node_member(n, root, YG_SV("eventName")),
				     yg_node_member(n, insight, YG_SV("eventName")));
	if (ev->api_operation.n == 0) {
		if (yg_node(n, root, YG_SV("digestStartTime")) != YG_NODE_NONE)
			return YG_FAIL(err, YG_PARSE, "a CloudTrail digest, not a record");
		return YG_FAIL(err, YG_PARSE, "no CloudTrail record: it has no eventName");
	}
	struct yg_sv time = yg_node_member(n, root, YG_SV("eventTime"));
	yg_norm_put(n, ev, YG_OP_TIME, YG_EF_time, time);
	ev->log_name =
		yg_sv_or(yg_node_member(n, root, YG_SV("eventCategory")), YG_SV("Management"));
	ev->event_code = yg_node_member(n, root, YG_SV("eventType"));
	ev->uid = yg_node_member(n, root, YG_SV("eventID"));
	ev->severity_id = 1; /* CloudTrail does not judge */
	classify(n, root, ev);
	source_address(n, yg_node_member(n, root, YG_SV("sourceIPAddress")), ev);
	ev->user_agent = yg_node_member(n, root, YG_SV("userAgent"));
	ev->user = identity(n, id);
	ev->target_user = target(n, request);
	if (ev->class_uid == YG_OCSF_AUTHENTICATION && ev->target_user.n == 0)
		ev->target_user = ev->user;
	ev->file_path = object(n, root, request);
	ev->cloud_region = yg_node_member(n, root, YG_SV("awsRegion"));
	ev->cloud_account = yg_sv_or(yg_node_member(n, root, YG_SV("recipientAccountId")),
				     yg_node_member(n, id, YG_SV("accountId")));
	ev->tls_version = yg_node_member(n, tls, YG_SV("tlsVersion"));
	ev->dst_host = yg_norm_domain(n, yg_node_member(n, tls, YG_SV("clientProvidedHostHeader")));
	outcome(n, root, ev);
	more_names(n, root, id, request);
	return YG_OK;
}

static yg_status cloudtrail_record(struct yg_norm *n, struct yg_sv record, struct yg_event *ev,
				   struct yg_err *err)
{
	yg_status st = yg_norm_json(n, record, err);
	if (st != YG_OK)
		return st;
	/* EventBridge puts the record under "detail". */
	uint32_t detail = yg_node(n, 0, YG_SV("detail"));
	bool wrapped = yg_node_is(n, detail, YG_JSON_OBJECT) &&
		       yg_node(n, 0, YG_SV("eventName")) == YG_NODE_NONE;
	return map(n, wrapped ? detail : 0, ev, err);
}

static void cloudtrail_begin(struct yg_norm *n)
{
	struct state *s = n->state;
	s->scan = (struct yg_json_scan){0};
}

static bool give(struct yg_norm *n, struct yg_sv *out, const char *from, const char *to)
{
	*out = yg_sv_trim((struct yg_sv){from, (size_t)(to - from)});
	if (out->n > YG_RECORD_MAX) {
		out->n = YG_RECORD_MAX;
		n->cut = true;
	}
	return true;
}

static bool cloudtrail_next(struct yg_norm *n, struct yg_sv *out)
{
	struct state *s = n->state;
	const char *from = NULL, *p = n->batch.p, *end = n->batch.p + n->batch.n;
	for (; p < end; p++) {
		p += yg_json_scan_quiet(&s->scan, p, (size_t)(end - p));
		if (p == end)
			break;
		struct yg_json_scan before = s->scan;
		unsigned ev = yg_json_scan(&s->scan, *p);
		if ((ev & YG_SCAN_BREAK) != 0 && from != NULL) {
			s->scan =
				before; /* looked at again by the next call, which has no `from` */
			n->batch = (struct yg_sv){p, (size_t)(end - p)};
			return give(n, out, from, p);
		}
		if ((ev & YG_SCAN_DROP) != 0)
			from = NULL;
		if ((ev & YG_SCAN_BEGIN) != 0)
			from = p;
		if ((ev & YG_SCAN_END) != 0) {
			n->batch = (struct yg_sv){p + 1, (size_t)(end - p) - 1};
			return give(n, out, from, p + 1);
		}
	}
	n->batch = (struct yg_sv){end, 0};
	s->scan = (struct yg_json_scan){0};
	return from != NULL && give(n, out, from, end);
}

const struct yg_norm_ops yg_norm_cloudtrail = {
	.state_size = sizeof(struct state),
	.begin = cloudtrail_begin,
	.next = cloudtrail_next,
	.record = cloudtrail_record,
};
