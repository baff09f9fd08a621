"""Tests of the scripts here that need no AWS: python -m unittest discover localstack -p tests.py"""

import contextlib
import io
import json
import os
import sys
import unittest
from pathlib import Path
from unittest import mock

sys.path.insert(0, str(Path(__file__).parent))

import account
import add_http_routes
import boto3
import destroy_stack
import restore_table
import settings
import smoke_test
from botocore.stub import Stubber

NAMES = ("AWS_REGION", "AWS_DEFAULT_REGION", "AWS_PROFILE", "AWS_ENDPOINT_URL")


def environment(**variables: str):
    """The environment without any AWS settings but these, and without the configuration of whoever runs it."""
    kept = {name: value for name, value in os.environ.items() if name not in NAMES}
    return mock.patch.dict(os.environ, {**kept, "AWS_CONFIG_FILE": os.devnull, **variables}, clear=True)


def client(service: str):
    """A client of nobody's account."""
    return boto3.client(service, region_name="us-east-1", aws_access_key_id="test", aws_secret_access_key="test")


class Region(unittest.TestCase):
    def test_each_way_to_say_a_region_is_enough_and_the_environment_comes_first(self):
        for variables in ({"AWS_REGION": "eu-north-1"}, {"AWS_DEFAULT_REGION": "eu-north-1"},
                          {"AWS_REGION": "eu-north-1", "AWS_DEFAULT_REGION": "eu-west-1"}):
            with environment(**variables):
                self.assertEqual(settings.region("shop-local"), "eu-north-1", variables)
                self.assertEqual(settings.session("shop-local").region_name, "eu-north-1", variables)

    def test_without_one_it_is_where_the_stack_is_deployed_to(self):
        with environment():
            self.assertEqual(settings.region("shop-local"), "us-east-1")

    def test_where_none_is_said_it_is_asked_for(self):
        with environment(), self.assertRaises(SystemExit) as ended:
            settings.region("nobody-s-stack")
        self.assertIn("set AWS_REGION", str(ended.exception))


class Routes(unittest.TestCase):
    TEMPLATE = {"Resources": {"Api": {"Type": "AWS::ApiGatewayV2::Api", "Properties": {"Body": {"paths": {
        "/orders": {"post": {"x-amazon-apigateway-integration": {"uri": {
            "Fn::Sub": "arn:...:${CreateOrderFunction.Arn}/invocations"}}}}}}}}}}

    def test_an_emulator_without_an_http_api_is_said_in_a_sentence_and_told_apart(self):
        formation, gateway = client("cloudformation"), client("apigatewayv2")
        with Stubber(formation) as stack, Stubber(gateway) as api:
            stack.add_response("get_template", {"TemplateBody": json.dumps(self.TEMPLATE)})
            stack.add_response("list_stack_resources", {"StackResourceSummaries": [
                {"LogicalResourceId": "Api", "PhysicalResourceId": "a1", "ResourceType": "AWS::ApiGatewayV2::Api",
                 "LastUpdatedTimestamp": 0, "ResourceStatus": "CREATE_COMPLETE"}]})
            api.add_client_error("get_routes", "InternalFailure", "not part of this edition", 501)
            aws = mock.Mock()
            aws.client.side_effect = {"cloudformation": formation, "apigatewayv2": gateway, "lambda": None}.get
            said = io.StringIO()
            with (mock.patch.object(add_http_routes, "session", return_value=aws),
                  contextlib.redirect_stderr(said), self.assertRaises(SystemExit) as ended):
                add_http_routes.main("shop-local")
        self.assertEqual(ended.exception.code, add_http_routes.NO_HTTP_API)
        self.assertIn("Api: the emulator has no HTTP API that takes routes", said.getvalue())
        self.assertNotIn("Traceback", said.getvalue())

    def test_a_stack_that_is_not_there_is_said_in_a_sentence(self):
        formation = client("cloudformation")
        with Stubber(formation) as stack:
            stack.add_client_error("get_template", "ValidationError", "Stack with id nobody does not exist")
            aws = mock.Mock()
            aws.client.return_value = formation
            with (mock.patch.object(add_http_routes, "session", return_value=aws),
                  self.assertRaises(SystemExit) as ended):
                add_http_routes.main("nobody")
        self.assertIn("does not exist", str(ended.exception))

    def test_routes_are_those_of_the_template(self):
        body = self.TEMPLATE["Resources"]["Api"]["Properties"]["Body"]
        self.assertEqual(add_http_routes.routes(body), {"POST /orders": "CreateOrderFunction"})



class Deployments(unittest.TestCase):
    def test_a_stack_in_which_nothing_is_yet_is_not_deployed_and_one_that_failed_says_so(self):
        for status, is_deployed, is_left in (("CREATE_COMPLETE", True, False), ("REVIEW_IN_PROGRESS", False, False),
                                             ("UPDATE_ROLLBACK_COMPLETE", True, False),
                                             ("ROLLBACK_COMPLETE", False, True)):
            clients = {service: client(service) for service in ("cloudformation", "lambda", "sts")}
            stubs = {service: Stubber(one) for service, one in clients.items()}
            stubs["cloudformation"].add_response("describe_stacks", {"Stacks": [
                {"StackName": "shop-dev", "CreationTime": 0, "StackStatus": status}]})
            stubs["lambda"].add_response("get_account_settings", {"AccountLimit": {"ConcurrentExecutions": 10}})
            stubs["sts"].add_response("get_caller_identity", {"Account": "123456789012"})
            for stub in stubs.values():
                stub.activate()
            aws = mock.Mock(region_name="eu-central-1")
            aws.client.side_effect = clients.get
            found = account.describe(aws, "shop-dev")
            self.assertEqual((found["is_deployed"], found["is_left_of_a_failure"]), (is_deployed, is_left), status)

    def test_a_stack_that_is_not_there_is_told_from_one_that_may_not_be_asked_for(self):
        formation = client("cloudformation")
        with Stubber(formation) as stack:
            stack.add_client_error("describe_stacks", "ValidationError", "Stack with id shop-dev does not exist")
            self.assertIsNone(account.stack_status(formation, "shop-dev"))
            stack.add_client_error("describe_stacks", "AccessDenied", "no")
            with self.assertRaises(account.ClientError):
                account.stack_status(formation, "shop-dev")

    def test_an_api_is_asked_by_its_name_and_an_emulator_s_by_its_host(self):
        url = "https://abc123.execute-api.eu-north-1.amazonaws.com"
        with environment():
            self.assertEqual(smoke_test.reached(url), (url, {}))
        with environment(AWS_ENDPOINT_URL="http://127.0.0.1:4566"):
            self.assertEqual(smoke_test.reached(url),
                             ("http://127.0.0.1:4566", {"Host": "abc123.execute-api.localhost:4566"}))

    def test_only_what_is_not_up_yet_is_asked_again(self):
        self.assertTrue(smoke_test.may_become_right((None, "refused")))
        self.assertTrue(smoke_test.may_become_right((503, "application/json")))
        self.assertFalse(smoke_test.may_become_right((404, "application/json")))


class Destruction(unittest.TestCase):
    def test_a_protected_stack_is_refused_before_anything_is_touched(self):
        formation = client("cloudformation")
        found = {"Stacks": [{"StackName": "shop-prod", "CreationTime": 0, "StackStatus": "CREATE_COMPLETE",
                             "EnableTerminationProtection": True}]}
        with Stubber(formation) as stack:
            for _ in range(2):
                stack.add_response("describe_stacks", found)
            aws = mock.Mock()
            aws.client.side_effect = {"cloudformation": formation}.get
            with (mock.patch.object(destroy_stack, "session", return_value=aws),
                  self.assertRaises(SystemExit) as ended):
                destroy_stack.main("shop-prod")
        self.assertIn("is protected", str(ended.exception))

    def test_every_version_of_an_object_goes_and_one_that_stays_ends_it(self):
        s3 = client("s3")
        with Stubber(s3) as bucket:
            bucket.add_response("list_object_versions", {
                "Versions": [{"Key": "a", "VersionId": "1"}], "DeleteMarkers": [{"Key": "b", "VersionId": "2"}]})
            gone = {"Bucket": "files", "Delete": {"Quiet": True, "Objects": [
                {"Key": "a", "VersionId": "1"}, {"Key": "b", "VersionId": "2"}]}}
            bucket.add_response("delete_objects", {}, gone)
            destroy_stack.empty(s3, "files")
            bucket.add_response("list_object_versions", {"Versions": [{"Key": "a", "VersionId": "1"}]})
            bucket.add_response("delete_objects", {"Errors": [{"Key": "a", "Code": "AccessDenied"}]})
            with self.assertRaises(SystemExit):
                destroy_stack.empty(s3, "files")

    def test_what_is_gone_is_no_failure_and_everything_else_is(self):
        dynamodb = client("dynamodb")
        with Stubber(dynamodb) as tables:
            tables.add_client_error("delete_table", "ResourceNotFoundException")
            self.assertFalse(destroy_stack.unless_gone(destroy_stack.delete_table, dynamodb, "orders"))
            tables.add_client_error("delete_table", "AccessDeniedException")
            with self.assertRaises(destroy_stack.ClientError):
                destroy_stack.unless_gone(destroy_stack.delete_table, dynamodb, "orders")

    def test_a_table_is_not_protected_any_more_before_the_stack_goes(self):
        dynamodb = client("dynamodb")
        with Stubber(dynamodb) as tables, mock.patch("time.sleep"):
            tables.add_response("describe_table", {"Table": {"DeletionProtectionEnabled": True}})
            tables.add_response("update_table", {}, {"TableName": "orders", "DeletionProtectionEnabled": False})
            # A table that is being updated is not deleted.
            for status in ("UPDATING", "ACTIVE"):
                tables.add_response("describe_table", {"Table": {"TableStatus": status}})
            destroy_stack.unprotect(dynamodb, "orders")
            tables.assert_no_pending_responses()

    def test_a_bucket_is_emptied_once_more_when_nobody_writes_to_it(self):
        s3 = client("s3")
        with Stubber(s3) as bucket:
            bucket.add_response("list_object_versions", {"Versions": [{"Key": "late", "VersionId": "1"}]})
            bucket.add_response("delete_objects", {})
            bucket.add_response("delete_bucket", {}, {"Bucket": "files"})
            destroy_stack.delete_bucket(s3, "files")
            bucket.assert_no_pending_responses()


class Restoring(unittest.TestCase):
    """Three items of a copy: one that the table has, one that it has otherwise, one that it has not; and one that is over."""

    ALIKE, OLD, NEW = ({"id": {"S": key}, "version": {"N": version}} for key, version in
                       (("alike", "1"), ("other", "1"), ("other", "2")))
    GONE = {"id": {"S": "gone"}, "version": {"N": "1"}}
    OVER = {"id": {"S": "over"}, "ends": {"N": "1000"}}

    def restore(self, write: bool, overwrite: bool, *answers):
        """What is counted; each of `answers` is the parameters of a write that is expected, and whether it is refused."""
        dynamodb = client("dynamodb")
        copy = [self.ALIKE, self.OLD, self.GONE, self.OVER]
        with Stubber(dynamodb) as tables:
            tables.add_response("scan", {"Items": copy}, {"TableName": "copy"})
            wanted = [{"id": item["id"]} for item in copy]
            tables.add_response("batch_get_item", {
                "Responses": {"orders": [self.ALIKE]},
                "UnprocessedKeys": {"orders": {"Keys": wanted[1:], "ConsistentRead": True}},
            }, {"RequestItems": {"orders": {"Keys": wanted, "ConsistentRead": True}}})
            tables.add_response("batch_get_item", {"Responses": {"orders": [self.NEW]}},
                                {"RequestItems": {"orders": {"Keys": wanted[1:], "ConsistentRead": True}}})
            for parameters, is_refused in answers:
                if is_refused:
                    tables.add_client_error("put_item", "ConditionalCheckFailedException", expected_params=parameters)
                else:
                    tables.add_response("put_item", {}, parameters)
            said = io.StringIO()
            with contextlib.redirect_stderr(said):
                counts = restore_table.compare(dynamodb, "orders", "copy", ["id"], "ends", write, overwrite)
            tables.assert_no_pending_responses()
        self.assertEqual(said.getvalue(), 'different: [{"S": "other"}]\n')
        self.assertEqual([counts[name] for name in ("looked_at", "alike", "missing", "different", "expired")], [4, 1, 1, 1, 1])
        return counts["put"], counts["changed_meanwhile"]

    PUT_GONE = {"TableName": "orders", "Item": GONE, "ConditionExpression": "attribute_not_exists(#n0)",
                "ExpressionAttributeNames": {"#n0": "id"}}
    PUT_OLD = {"TableName": "orders", "Item": OLD, "ConditionExpression": "#n0 = :v0 AND #n1 = :v1",
               "ExpressionAttributeNames": {"#n0": "id", "#n1": "version"},
               "ExpressionAttributeValues": {":v0": {"S": "other"}, ":v1": {"N": "2"}}}

    def test_nothing_is_written_unless_it_is_said(self):
        self.assertEqual(self.restore(False, True), (0, 0))

    def test_what_is_missing_is_put_back_and_what_is_newer_stays(self):
        self.assertEqual(self.restore(True, False, (self.PUT_GONE, False)), (1, 0))

    def test_what_is_there_is_overwritten_where_it_is_said_and_still_what_was_compared(self):
        self.assertEqual(self.restore(True, True, (self.PUT_OLD, True), (self.PUT_GONE, False)), (1, 1))


if __name__ == "__main__":
    unittest.main()
