//! The differences from AWS that are known, and why the shop can bear them.

/// A check that does not hold somewhere.
#[derive(Clone, Copy, Debug)]
pub struct Difference {
    /// The check's name.
    pub check: &'static str,
    /// What is in its message, so that another failure of the same check is not taken for this one.
    pub seen: &'static str,
    /// Why the shop can bear it, or what guards it instead.
    pub reason: &'static str,
}

/// Of the embedded cloud.
pub const EMBEDDED: &[Difference] = &[];

/// Of `MiniStack`, in the version that localstack/requirements-ministack.txt pins.
pub const MINISTACK: &[Difference] = &[
    Difference {
        check: "writes::only_texts_numbers_and_bytes_have_an_order",
        seen: "refused, not with ValidationException: ConditionalCheckFailedException",
        reason: "It takes such a comparison for false. No expression of the shop has one, and the embedded cloud \
                 refuses it in every test.",
    },
    Difference {
        check: "writes::an_operand_is_not_compared_with_itself",
        seen: "taken, not refused with ValidationException",
        reason: "It compares. The embedded cloud refuses.",
    },
    Difference {
        check: "writes::a_type_that_there_is_not_is_refused",
        seen: "refused, not with ValidationException: ConditionalCheckFailedException",
        reason: "No item has the type, so the condition is false. No function asks for a type.",
    },
    Difference {
        check: "transactions::a_number_is_not_deleted_from_a_set",
        seen: "refused, not with ValidationException: TransactionCanceledException",
        reason: "Refused with another code. No function deletes from a set.",
    },
    Difference {
        check: "queries::a_bare_reserved_word_is_refused",
        seen: "in a filter: taken, not refused with ValidationException",
        reason: "It reads a query's filter and projection only when it finds an item; then it refuses. The \
                 embedded cloud refuses at once, and every test there that uses an expression guards this.",
    },
    Difference {
        check: "topics::an_empty_batch_is_refused",
        seen: "InvalidParameterException: PublishBatchRequestEntries is required",
        reason: "Refused with another code. The relay publishes no empty batch.",
    },
    Difference {
        check: "topics::a_batch_has_256_kb_at_most",
        seen: "taken, not refused with BatchRequestTooLong",
        reason: "It has no limit. The relay cuts its batches to size, which its own tests hold, and the \
                 embedded cloud refuses a larger one.",
    },
    Difference {
        check: "queues::an_old_receipt_deletes_nothing",
        seen: "ReceiptHandleIsInvalid",
        reason: "It refuses an old handle where SQS does nothing; neither deletes. No function deletes \
                 messages: Lambda's mapping does.",
    },
    Difference {
        check: "queues::a_message_is_deleted_twice_without_an_error",
        seen: "ReceiptHandleIsInvalid",
        reason: "It refuses the second deletion. No function deletes messages: Lambda's mapping does.",
    },
    Difference {
        check: "objects::a_small_part_is_the_last",
        seen: "taken, not refused with EntityTooSmall",
        reason: "It joins parts of any size. An export writes parts of the least size or more, and the embedded \
                 cloud refuses smaller ones.",
    },
    Difference {
        check: "mails::a_mail_has_a_recipient",
        seen: "taken, not refused with BadRequestException",
        reason: "It takes a mail to nobody. send-email always has an address, and the embedded cloud refuses.",
    },
    Difference {
        check: "mails::a_configuration_set_must_be_there",
        seen: "taken, not refused with NotFoundException",
        reason: "It knows no configuration sets. The template's test holds the name to the resource's, and the \
                 embedded cloud refuses another.",
    },
    Difference {
        check: "mails::a_tag_is_a_word",
        seen: "taken, not refused with BadRequestException",
        reason: "It takes any tag. send-email's tags are ids of ours, and the embedded cloud refuses others.",
    },
];

/// Of `LocalStack`, in the version that localstack/requirements-localstack.txt pins, over AWS's `DynamoDB` Local.
pub const LOCALSTACK: &[Difference] = &[
    Difference {
        check: "topics::an_empty_batch_is_refused",
        seen: "object of type 'NoneType' has no len()",
        reason: "It fails over it. The relay publishes no empty batch.",
    },
    Difference {
        check: "queues::an_old_receipt_deletes_nothing",
        seen: "InvalidParameterValue",
        reason: "It refuses an old handle where SQS does nothing; neither deletes. No function deletes \
                 messages: Lambda's mapping does.",
    },
];
