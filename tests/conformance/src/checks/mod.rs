//! The checks: a rule, the page of AWS's documentation that decides it, and the function that sees whether it
//! holds. Each has items and queues of its own, so that all may run at once, in any order.

mod items;
mod mails;
mod messages;
mod objects;
mod queries;
mod queues;
mod reads;
mod streams;
mod topics;
mod transactions;
mod values;
mod writes;

use anyhow::Result;
use futures::future::LocalBoxFuture;

use crate::target::Target;

/// Something that a service must do.
pub struct Check {
    /// Its name: module and function.
    pub name: &'static str,
    /// What must hold.
    pub rule: &'static str,
    /// The page of AWS's documentation that says so.
    pub decided_by: &'static str,
    /// Sees whether it holds, and says what was seen instead.
    pub run: for<'a> fn(&'a Target) -> LocalBoxFuture<'a, Result<()>>,
}

impl std::fmt::Debug for Check {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Check").field(&self.name).finish()
    }
}

/// The roots of the documentation.
macro_rules! page {
    (dynamodb_api $name:literal) => {
        concat!("https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_", $name, ".html")
    };
    (dynamodb $name:literal) => {
        concat!("https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/", $name, ".html")
    };
    (sns_api $name:literal) => {
        concat!("https://docs.aws.amazon.com/sns/latest/api/API_", $name, ".html")
    };
    (sns $name:literal) => {
        concat!("https://docs.aws.amazon.com/sns/latest/dg/", $name, ".html")
    };
    (sqs_api $name:literal) => {
        concat!("https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_", $name, ".html")
    };
    (sqs $name:literal) => {
        concat!("https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/", $name, ".html")
    };
    (s3_api $name:literal) => {
        concat!("https://docs.aws.amazon.com/AmazonS3/latest/API/API_", $name, ".html")
    };
    (s3 $name:literal) => {
        concat!("https://docs.aws.amazon.com/AmazonS3/latest/userguide/", $name, ".html")
    };
    (ses_api $name:literal) => {
        concat!("https://docs.aws.amazon.com/ses/latest/APIReference-V2/API_", $name, ".html")
    };
    (ses $name:literal) => {
        concat!("https://docs.aws.amazon.com/ses/latest/dg/", $name, ".html")
    };
}

macro_rules! checks {
    ($($module:ident::$name:ident: $rule:literal, $root:ident $page:literal;)*) => {
        /// All checks.
        pub const ALL: &[Check] = &[$(Check {
            name: concat!(stringify!($module), "::", stringify!($name)),
            rule: $rule,
            decided_by: page!($root $page),
            run: |target| Box::pin($module::$name(target)),
        }),*];
    };
}

checks! {
    writes::a_failed_put_returns_the_item:
        "With `ALL_OLD`, a put whose condition fails answers with the item that is stored, and stores nothing",
        dynamodb_api "PutItem";
    writes::a_failed_condition_returns_no_item_unasked:
        "Without `ALL_OLD`, a failed condition answers with no item",
        dynamodb_api "PutItem";
    writes::a_failed_update_of_a_missing_item_returns_none:
        "With `ALL_OLD`, a failed condition on an item that is not there answers with no item, and creates none",
        dynamodb_api "UpdateItem";
    writes::a_condition_is_about_the_item_with_the_whole_key:
        "`attribute_not_exists(pk)` asks for the item with this partition and sort key, not for any in the partition",
        dynamodb "Expressions.ConditionExpressions";
    writes::a_stale_version_is_refused:
        "`version = :read` lets one of two writers through that have read the same version",
        dynamodb "Expressions.ConditionExpressions";
    writes::a_comparison_with_a_missing_attribute_is_false:
        "A comparison with an attribute or a path that is not there is a failed condition, not an error",
        dynamodb "Expressions.OperatorsAndFunctions";
    writes::an_update_without_a_condition_creates_the_item:
        "An update of a key that is not there creates the item",
        dynamodb_api "UpdateItem";
    writes::set_adds_and_subtracts:
        "`SET a = a - :n, b = b + :n` moves a number, negative ones too, exactly",
        dynamodb "Expressions.UpdateExpressions";
    writes::arithmetic_on_a_missing_attribute_is_refused:
        "`SET a = a + :n` on an item without `a` is a `ValidationException`",
        dynamodb "Expressions.UpdateExpressions";
    writes::if_not_exists_keeps_what_is_there:
        "`if_not_exists` sets an attribute once",
        dynamodb "Expressions.UpdateExpressions";
    writes::remove_takes_the_attribute_away:
        "`REMOVE` takes an attribute away, and one that is not there is no error",
        dynamodb "Expressions.UpdateExpressions";
    writes::a_path_into_a_map_is_written_and_compared:
        "`SET #keys.#kid` writes one entry of a map, and `claim.pk = :order` compares one",
        dynamodb "Expressions.Attributes";
    writes::an_update_that_creates_returns_no_old_item:
        "An update with `ReturnValues=ALL_OLD` that creates the item answers with no attributes",
        dynamodb_api "UpdateItem";
    writes::only_texts_numbers_and_bytes_have_an_order:
        "`<` and `BETWEEN` with a boolean, a map or a list are a `ValidationException`",
        dynamodb "Expressions.OperatorsAndFunctions";
    writes::an_operand_is_not_compared_with_itself:
        "A comparison of an operand with itself is a `ValidationException`",
        dynamodb "Expressions.OperatorsAndFunctions";
    writes::a_type_that_there_is_not_is_refused:
        "`attribute_type` with a type that there is not is a `ValidationException`",
        dynamodb "Expressions.OperatorsAndFunctions";
    writes::a_path_into_a_missing_map_is_refused:
        "`SET #keys.#kid` in an item without the map is a `ValidationException`",
        dynamodb "Expressions.UpdateExpressions";
    values::numbers_keep_38_digits:
        "Numbers keep 38 digits: the largest `u64` and the smallest `i64` come back as they were",
        dynamodb "HowItWorks.NamingRulesDataTypes";
    values::a_number_of_39_digits_is_refused:
        "A number that would lose digits is a `ValidationException`",
        dynamodb "HowItWorks.NamingRulesDataTypes";
    values::an_empty_string_is_a_value_but_no_key:
        "An empty string is a value, but as a key of the table or of an index a `ValidationException`",
        dynamodb "HowItWorks.NamingRulesDataTypes";
    values::a_key_of_another_type_is_refused:
        "A key of another type than the table's or the index's is a `ValidationException`",
        dynamodb_api "PutItem";
    values::an_item_of_400_kb_fits_and_a_byte_more_does_not:
        "An item has 409,600 bytes at most, names and values together",
        dynamodb "Constraints";
    values::an_update_cannot_outgrow_400_kb:
        "An update that would make an item larger than that is refused, and leaves it as it was",
        dynamodb "Constraints";
    values::text_comes_back_as_it_was:
        "Any Unicode text is kept as it is: control characters, astral ones, U+FFFE",
        dynamodb "HowItWorks.NamingRulesDataTypes";
    transactions::names_without_an_expression_are_refused:
        "A put of a transaction with names and no expression is a `ValidationException`",
        dynamodb "Expressions.ExpressionAttributeNames";
    transactions::a_number_is_not_deleted_from_a_set:
        "`DELETE attribute :number` in a transaction is a `ValidationException`",
        dynamodb "Expressions.UpdateExpressions";
    transactions::all_or_nothing:
        "A transaction of which one condition fails writes nothing",
        dynamodb_api "TransactWriteItems";
    transactions::reasons_are_in_order_with_their_items:
        "The reasons of a cancelled transaction are in the order of its actions, with `None` for those that were not in the way, and with the stored item where `ALL_OLD` asks for it and there is one",
        dynamodb_api "TransactWriteItems";
    transactions::a_token_again_has_no_second_effect:
        "The same request under the same token succeeds again and does nothing",
        dynamodb "transaction-apis";
    transactions::a_token_with_another_request_is_refused:
        "Another request under the same token is an `IdempotentParameterMismatchException`",
        dynamodb "transaction-apis";
    transactions::two_actions_on_one_item_are_refused:
        "Two actions on one item are a `ValidationException`",
        dynamodb "transaction-apis";
    transactions::a_hundred_actions_are_one_transaction:
        "A transaction takes 100 actions",
        dynamodb_api "TransactWriteItems";
    transactions::a_hundred_and_one_actions_are_refused:
        "101 actions are a `ValidationException`",
        dynamodb_api "TransactWriteItems";
    transactions::an_empty_transaction_is_refused:
        "No action is a `ValidationException`",
        dynamodb_api "TransactWriteItems";
    transactions::many_at_once_lose_no_update:
        "Of many transactions on one counter at once, each that succeeds is counted, and the others are cancelled",
        dynamodb "transaction-apis";
    reads::a_missing_item_is_no_error:
        "`GetItem` of a key that is not there answers without an item",
        dynamodb_api "GetItem";
    reads::a_consistent_read_sees_every_write_before_it:
        "A read with `ConsistentRead` sees each acknowledged write",
        dynamodb "HowItWorks.ReadConsistency";
    reads::a_batch_leaves_missing_items_out:
        "`BatchGetItem` answers with the items that are there, and names no others",
        dynamodb_api "BatchGetItem";
    reads::a_batch_with_a_key_twice_is_refused:
        "The same key twice in a `BatchGetItem` is a `ValidationException`",
        dynamodb_api "BatchGetItem";
    reads::a_batch_has_a_hundred_keys_at_most:
        "A `BatchGetItem` takes 100 keys; 101 are a `ValidationException`",
        dynamodb_api "BatchGetItem";
    queries::a_position_outside_of_the_query_is_refused:
        "An `ExclusiveStartKey` that the query could not have found is a `ValidationException`",
        dynamodb_api "Query";
    queries::an_index_is_sparse_and_ordered:
        "An index holds the items that have its keys, in the order of its sort key, and in reverse when asked",
        dynamodb "GSI";
    queries::an_item_moves_between_partitions_of_an_index:
        "An item whose index key changes leaves the old partition, and one that loses it leaves the index",
        dynamodb "GSI";
    queries::pages_follow_each_other:
        "With `Limit`, a page ends with a `LastEvaluatedKey` of the index's and the table's keys, and the pages together are the whole",
        dynamodb "Query.Pagination";
    queries::a_page_starts_behind_a_key_that_is_not_there:
        "`ExclusiveStartKey` is a position: no item must have it",
        dynamodb "Query.Pagination";
    queries::a_sort_key_has_a_prefix_or_a_range:
        "`begins_with` and `BETWEEN`, which includes both ends, choose by the sort key",
        dynamodb "Query.KeyConditionExpressions";
    queries::a_filter_comes_after_the_limit:
        "`Limit` counts what is read, and a filter then drops of it",
        dynamodb "Query.FilterExpression";
    queries::a_projection_names_reserved_words_by_placeholder:
        "A projection answers with the named attributes only, reserved words by their placeholders",
        dynamodb "Expressions.ProjectionExpressions";
    queries::a_bare_reserved_word_is_refused:
        "A reserved word without a placeholder is a `ValidationException`",
        dynamodb "ReservedWords";
    queries::an_index_has_no_consistent_read:
        "`ConsistentRead` of a global index is a `ValidationException`",
        dynamodb_api "Query";
    streams::each_write_is_a_record_with_both_images:
        "Each write of an item is one record, in order, with the item before and after it",
        dynamodb "Streams";
    streams::a_write_that_changes_nothing_is_no_record:
        "A put or an update that leaves the item as it is writes no record",
        dynamodb "Streams";
    streams::a_refused_write_is_no_record:
        "A write whose condition fails, or a cancelled transaction, writes no record",
        dynamodb "Streams";
    streams::a_transaction_is_a_record_for_each_item:
        "A transaction writes a record for each item that it changes",
        dynamodb "transaction-apis";
    topics::a_batch_names_each_entry:
        "`PublishBatch` answers with each entry's id and a message id of its own",
        sns_api "PublishBatch";
    topics::more_than_ten_entries_are_refused:
        "11 entries are `TooManyEntriesInBatchRequest`",
        sns_api "PublishBatch";
    topics::an_empty_batch_is_refused:
        "No entry is `EmptyBatchRequest`",
        sns_api "PublishBatch";
    topics::ids_must_differ:
        "Two entries with one id are `BatchEntryIdsNotDistinct`",
        sns_api "PublishBatch";
    topics::a_batch_has_256_kb_at_most:
        "The messages of a batch have 262,144 bytes together; more is `BatchRequestTooLong`",
        sns_api "PublishBatch";
    topics::raw_delivery_keeps_the_body_and_the_attributes:
        "With raw delivery the queue gets the message as its body, and its attributes as attributes",
        sns "sns-large-payload-raw-message-delivery";
    topics::an_exact_filter_passes_its_values_and_nothing_else:
        "A list of values passes messages whose attribute is one of them; not another value, nor another case, nor none",
        sns "string-value-matching";
    topics::every_attribute_of_a_filter_must_match:
        "A policy with two attributes passes what matches both",
        sns "and-or-logic";
    queues::a_message_has_1_mib_at_most:
        "A message has 1,048,576 bytes; more is `InvalidParameterValue`",
        sqs "quotas-messages";
    queues::a_forbidden_character_never_arrives:
        "What XML has no character for (U+FFFE) is refused as `InvalidMessageContents`, or replaced; it never arrives",
        sqs_api "SendMessage";
    queues::a_received_message_is_hidden_for_its_timeout:
        "A received message is hidden, comes again after the queue's visibility timeout, and counts its receptions",
        sqs "sqs-visibility-timeout";
    queues::received_messages_are_put_off_each_for_its_time:
        "Each entry of `ChangeMessageVisibilityBatch` puts off or brings forward its own message, or fails alone",
        sqs_api "ChangeMessageVisibilityBatch";
    queues::an_old_receipt_deletes_nothing:
        "Only the last receipt handle deletes a message; an older one succeeds and does not",
        sqs_api "DeleteMessage";
    queues::a_message_is_deleted_twice_without_an_error:
        "Deleting again succeeds; a handle that is none is `ReceiptHandleIsInvalid`",
        sqs_api "DeleteMessage";
    queues::a_message_received_too_often_moves_as_it_was:
        "After `maxReceiveCount` receptions a message goes to the dead-letter queue: same id, body, attributes and time of sending",
        sqs "sqs-dead-letter-queues";
    queues::the_dead_letter_queue_names_the_source:
        "There its `DeadLetterQueueSourceArn` is the queue that it came from",
        sqs_api "ReceiveMessage";
    queues::attributes_come_when_asked_for:
        "A reception shows message attributes and system attributes only when it names them",
        sqs_api "ReceiveMessage";
    queues::a_reception_has_ten_messages_at_most:
        "A reception takes one message unless told otherwise, ten at most; 11 are `InvalidParameterValue`",
        sqs_api "ReceiveMessage";
    objects::an_object_comes_back_as_it_was:
        "An object comes back with its bytes and its content type, whatever its key is made of",
        s3_api "GetObject";
    objects::an_object_that_is_not_there_has_no_key:
        "`GetObject` of a key that is not there is `NoSuchKey` for who may list the bucket",
        s3_api "GetObject";
    objects::deleting_again_is_no_error:
        "A deleted object is gone at once, and deleting it again succeeds",
        s3_api "DeleteObject";
    objects::only_the_first_put_finds_none:
        "With `If-None-Match: *` a put is refused where there is an object, as `PreconditionFailed`",
        s3 "conditional-writes";
    objects::one_of_two_that_have_read_the_same_writes:
        "With `If-Match` a put is refused once the object is another, as `PreconditionFailed`, and as `NoSuchKey` where there is none",
        s3 "conditional-writes";
    objects::what_one_has_is_not_sent_again:
        "`GetObject` with the `ETag` that is there in `If-None-Match` is a 304; after another put it is the object",
        s3_api "GetObject";
    objects::a_range_is_cut_out:
        "A range is cut out of the object, one that goes beyond it ends with it, and one behind it is `InvalidRange`",
        s3_api "GetObject";
    objects::a_list_has_pages_in_order:
        "`ListObjectsV2` gives the keys with a prefix in the order of their bytes, in pages that follow each other",
        s3_api "ListObjectsV2";
    objects::parts_become_one_object:
        "Parts are one object once the upload is complete, and not before",
        s3 "mpuoverview";
    objects::a_small_part_is_the_last:
        "A part below 5 MiB that is not the last is `EntityTooSmall`",
        s3_api "CompleteMultipartUpload";
    objects::an_upload_that_is_aborted_leaves_nothing:
        "An upload that was aborted is `NoSuchUpload`, and leaves no object",
        s3_api "AbortMultipartUpload";
    mails::each_mail_has_an_id_of_its_own:
        "SES takes a mail with a text, an HTML part, a header and a tag, and knows no repetition: the same mail again is another message",
        ses_api "SendEmail";
    mails::a_sender_must_be_verified:
        "A mail from an identity that is not verified is `MessageRejected`",
        ses "troubleshoot-error-messages";
    mails::a_mail_has_a_recipient:
        "A mail to nobody is a `BadRequestException`",
        ses_api "SendEmail";
    mails::a_configuration_set_must_be_there:
        "A configuration set that there is not is `NotFoundException`",
        ses_api "SendEmail";
    mails::a_tag_is_a_word:
        "The value of a tag has ASCII letters, digits, `_` and `-` only; another is a `BadRequestException`",
        ses_api "MessageTag";
}
