#include "event/source_test.h"

#define CT(in, want, name) st_check(YG_SOURCE_CLOUDTRAIL, NULL, YG_SV(in), want, name)
#define COMMON                                                                                                             \
	"\"eventVersion\":\"1.08\",\"eventTime\":\"2023-07-10T12:23:05Z\",\"awsRegion\":\"us-east-1\",\"eventID\":\"e1\"," \
	"\"recipientAccountId\":\"123456789012\",\"eventCategory\":\"Management\",\"eventType\":\"AwsApiCall\","

static void test_documents(void)
{
	CT("{\"Records\":[{" COMMON
	   "\"userIdentity\":{\"type\":\"IAMUser\",\"arn\":\"arn:aws:iam::123456789012:user/taro\",\"userName\":\"taro\"},"
	   "\"eventSource\":\"ec2.amazonaws.com\",\"eventName\":\"DescribeInstances\",\"sourceIPAddress\":\"192.0.2.7\","
	   "\"userAgent\":\"aws-cli/2\",\"readOnly\":true,\"tlsDetails\":{\"tlsVersion\":\"TLSv1.3\","
	   "\"clientProvidedHostHeader\":\"EC2.us-east-1.amazonaws.com\"}},"
	   "{" COMMON
	   "\"userIdentity\":{\"type\":\"AWSService\",\"invokedBy\":\"rds.amazonaws.com\"},"
	   "\"eventSource\":\"sts.amazonaws.com\",\"eventName\":\"AssumeRole\",\"sourceIPAddress\":\"rds.amazonaws.com\","
	   "\"requestParameters\":{\"roleArn\":\"arn:aws:iam::123456789012:role/R\"},\"readOnly\":true}]}",
	   "time=2023-07-10T12:23:05.000000Z class_uid=6003 activity_id=2 severity_id=1 status_id=1 log_name=Management "
	   "event_code=AwsApiCall uid=e1 message=DescribeInstances by taro from 192.0.2.7 src_ip=192.0.2.7 "
	   "dst_host=ec2.us-east-1.amazonaws.com user_agent=aws-cli/2 tls_version=TLSv1.3 user=taro "
	   "api_service=ec2.amazonaws.com api_operation=DescribeInstances cloud_account=123456789012 "
	   "cloud_region=us-east-1\n"
	   "time=2023-07-10T12:23:05.000000Z class_uid=6003 activity_id=2 severity_id=1 status_id=1 log_name=Management "
	   "event_code=AwsApiCall uid=e1 message=AssumeRole by rds.amazonaws.com from rds.amazonaws.com "
	   "src_host=rds.amazonaws.com user=rds.amazonaws.com target_user=R api_service=sts.amazonaws.com "
	   "api_operation=AssumeRole cloud_account=123456789012 cloud_region=us-east-1\n",
	   "a document of two records; a service as the source");
	CT("{\"eventName\":\"X\"}\nrubbish\n{\"digestStartTime\":\"x\"}\n{\"a\":1}\n{\"eventName\":\"Y\",\n",
	   "time=2026-06-15T12:00:00.000000Z class_uid=6003 activity_id=99 severity_id=1 status_id=1 log_name=Management "
	   "message=X api_operation=X parse_error=time not understood: received time used\n"
	   "time=2026-06-15T12:00:00.000000Z class_uid=0 parse_error=JSON: expected a value at byte 0\n"
	   "time=2026-06-15T12:00:00.000000Z class_uid=0 parse_error=a CloudTrail digest, not a record\n"
	   "time=2026-06-15T12:00:00.000000Z class_uid=0 parse_error=no CloudTrail record: it has no eventName\n"
	   "time=2026-06-15T12:00:00.000000Z class_uid=0 parse_error=JSON: expected a key at byte 17\n",
	   "what is no record says why and does not stop the rest");
}

static void test_classes(void)
{
	static const struct {
		const char *source, *name;
		uint32_t class_uid;
		uint8_t activity_id;
	} rows[] = {
		{"iam.amazonaws.com", "CreateUser", 3001, 1},
		{"iam.amazonaws.com", "DeleteUser", 3001, 6},
		{"iam.amazonaws.com", "AttachUserPolicy", 3001, 7},
		{"iam.amazonaws.com", "CreateAccessKey", 3001, 99},
		{"iam.amazonaws.com", "AttachRolePolicy", 3005, 1},
		{"iam.amazonaws.com", "DetachRolePolicy", 3005, 2},
		{"iam.amazonaws.com", "CreateRole", 3004, 1},
		{"iam.amazonaws.com", "AddUserToGroup", 3006, 3},
		{"iam.amazonaws.com", "ListUsers", 6003, 2},
		{"example.amazonaws.com", "CreateUser", 6003, 1},
		{"signin.amazonaws.com", "ConsoleLogin", 3002, 1},
		{"signin.amazonaws.com", "CheckMfa", 3002, 99},
		{"signin.amazonaws.com", "SwitchRole", 3002, 7},
		{"ec2.amazonaws.com", "RunInstances", 6003, 1},
		{"ec2.amazonaws.com", "TerminateInstances", 6003, 4},
		{"cloudtrail.amazonaws.com", "StopLogging", 6003, 3},
		{"ec2.amazonaws.com", "DeregisterImage", 6003, 4},
		{"ec2.amazonaws.com", "DisassociateRouteTable", 6003, 3},
		{"x.amazonaws.com", "Frobnicate", 6003, 99},
	};
	for (size_t i = 0; i < YG_LEN(rows); i++) {
		char in[512];
		int w = snprintf(
			in, sizeof in,
			"{\"eventVersion\":\"1.11\",\"eventSource\":\"%s\",\"eventName\":\"%s\"}",
			rows[i].source, rows[i].name);
		struct yg_norm *n = NULL;
		struct yg_event ev = {0};
		if (yg_norm_new(YG_SOURCE_CLOUDTRAIL, NULL, &n, NULL) != YG_OK)
			abort();
		yg_norm_begin(n, (struct yg_sv){in, (size_t)w}, (yg_wall){1}, false);
		T_NAMED(yg_norm_next(n, &ev) && ev.class_uid == rows[i].class_uid &&
				ev.activity_id == rows[i].activity_id,
			rows[i].name);
		yg_norm_free(n);
	}
}

static void user(const char *identity, const char *want)
{
	char in[1024];
	int w = snprintf(in, sizeof in, "{\"eventName\":\"A\",\"userIdentity\":%s}", identity);
	struct yg_norm *n = NULL;
	struct yg_event ev = {0};
	if (yg_norm_new(YG_SOURCE_CLOUDTRAIL, NULL, &n, NULL) != YG_OK)
		abort();
	yg_norm_begin(n, (struct yg_sv){in, (size_t)w}, (yg_wall){1}, false);
	T_NAMED(yg_norm_next(n, &ev) && yg_sv_eq(ev.user, yg_sv_of(want)), identity);
	yg_norm_free(n);
}

static void test_identities(void)
{
	user("{\"type\":\"Root\",\"principalId\":\"1\",\"arn\":\"arn:aws:iam::1:root\"}", "root");
	user("{\"type\":\"IAMUser\",\"principalId\":\"A\",\"userName\":\"taro\"}", "taro");
	user("{\"type\":\"AssumedRole\",\"principalId\":\"A:s\",\"arn\":\"arn:aws:sts::1:assumed-role/Admin/hanako\"}",
	     "Admin/hanako");
	user("{\"type\":\"FederatedUser\",\"arn\":\"arn:aws:sts::1:federated-user/taro\"}", "taro");
	user("{\"type\":\"AWSService\",\"invokedBy\":\"s3.amazonaws.com\"}", "s3.amazonaws.com");
	user("{\"accountId\":\"1\",\"invokedBy\":\"kms.amazonaws.com\"}", "kms.amazonaws.com");
	user("{\"type\":\"AWSAccount\",\"principalId\":\"AIDA\",\"accountId\":\"1\"}", "AIDA");
	user("{\"type\":\"SAMLUser\",\"userName\":\"t@example.com\",\"principalId\":\"p\"}",
	     "t@example.com");
	user("{\"type\":\"WebIdentityUser\",\"userName\":\"u\"}", "u");
	user("{\"type\":\"IdentityCenterUser\",\"onBehalfOf\":{\"userId\":\"1234\"}}", "1234");
	user("{\"type\":\"Unknown\"}", "");
	user("null", "");
}

static void test_outcome(void)
{
	CT("{" COMMON
	   "\"userIdentity\":{\"type\":\"IAMUser\",\"userName\":\"HIDDEN_DUE_TO_SECURITY_REASONS\"},"
	   "\"eventSource\":\"signin.amazonaws.com\",\"eventName\":\"ConsoleLogin\",\"sourceIPAddress\":\"2001:db8::1\","
	   "\"errorMessage\":\"Failed authentication\",\"responseElements\":{\"ConsoleLogin\":\"Failure\"}}",
	   "time=2023-07-10T12:23:05.000000Z class_uid=3002 activity_id=1 severity_id=1 status_id=2 log_name=Management "
	   "event_code=AwsApiCall uid=e1 message=ConsoleLogin by HIDDEN_DUE_TO_SECURITY_REASONS from 2001:db8::1 failed: "
	   "Failed authentication src_ip=2001:db8::1 user=HIDDEN_DUE_TO_SECURITY_REASONS "
	   "target_user=HIDDEN_DUE_TO_SECURITY_REASONS api_service=signin.amazonaws.com api_operation=ConsoleLogin "
	   "cloud_account=123456789012 cloud_region=us-east-1\n",
	   "a sign-in that failed");
	CT("{\"detail-type\":\"AWS API Call via CloudTrail\",\"detail\":{" COMMON
	   "\"eventSource\":\"s3.amazonaws.com\",\"eventName\":\"GetObject\",\"sourceIPAddress\":\"AWS Internal\","
	   "\"errorCode\":\"AccessDenied\",\"errorMessage\":\"no\",\"requestParameters\":{\"bucketName\":\"b\",\"key\":\"k/x\"},"
	   "\"resources\":[{\"ARN\":\"arn:aws:s3:::b/k/x\"}]}}",
	   "time=2023-07-10T12:23:05.000000Z class_uid=6003 activity_id=2 severity_id=1 status_id=2 log_name=Management "
	   "event_code=AwsApiCall uid=e1 message=GetObject from AWS Internal failed: AccessDenied file_path=s3://b/k/x "
	   "api_service=s3.amazonaws.com api_operation=GetObject cloud_account=123456789012 cloud_region=us-east-1\n",
	   "under EventBridge's detail; an object of S3; refused");
}

int main(void)
{
	test_documents();
	test_classes();
	test_identities();
	test_outcome();
	return tap_done();
}
