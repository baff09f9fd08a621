//! The scenarios. Each brings its own data, and can run again and again against the same shop.

use anyhow::Result;
use futures::future::LocalBoxFuture;

use crate::shop::Shop;

mod access;
mod accounts;
mod alerts;
mod answers;
mod bad_fields;
mod bad_input;
mod cache;
mod cancel;
mod dead_letters;
mod emails;
mod first_order;
mod idempotency;
mod imports;
mod monitor;
mod order_lists;
mod paging;
mod pricing;
mod products;
mod rush;
mod sales;
mod searching;
mod shipping;
mod statistics;
mod stock;

/// Something that the shop must do.
pub struct Scenario {
    /// Its name: module and function.
    pub name: &'static str,
    /// Does it, and says what went otherwise.
    pub run: for<'a> fn(&'a Shop) -> LocalBoxFuture<'a, Result<()>>,
}

macro_rules! scenarios {
    ($($module:ident::$name:ident),* $(,)?) => {
        /// All scenarios, in the order in which they run.
        pub const ALL: &[Scenario] = &[$(Scenario {
            name: concat!(stringify!($module), "::", stringify!($name)),
            run: |shop| Box::pin($module::$name(shop)),
        }),*];
    };
}

scenarios![
    first_order::a_new_user_places_an_order,
    first_order::every_spelling_of_a_path_is_understood,
    cache::a_stranger_sees_a_new_price_within_seconds,
    searching::a_product_is_found_by_what_it_is_called_and_costs_now,
    searching::what_is_no_search_is_refused,
    idempotency::a_replay_gives_the_same_order,
    idempotency::another_body_under_a_key_is_refused,
    idempotency::a_key_sent_many_times_at_once_is_one_order,
    idempotency::a_replay_outlives_the_price_and_the_product,
    idempotency::a_key_belongs_to_its_principal,
    pricing::money_is_exact,
    pricing::figures_that_agree_are_taken,
    pricing::figures_that_disagree_are_refused,
    pricing::an_unknown_product_is_named,
    pricing::currencies_are_not_mixed,
    pricing::an_order_too_dear_is_refused,
    stock::sold_out_is_rejected,
    stock::an_order_is_reserved_whole_or_not_at_all,
    stock::a_restocked_product_is_sold_again,
    stock::an_order_of_a_hundred_products_is_one_order,
    stock::orders_that_cross_do_not_block_each_other,
    stock::a_level_is_set_or_moved,
    stock::a_delta_is_not_taken_twice,
    alerts::stock_below_its_threshold_raises_one_alert,
    alerts::a_deleted_product_s_alerts_are_over,
    dead_letters::letters_are_looked_for_redriven_and_discarded,
    monitor::an_order_s_story_is_told,
    monitor::queues_are_watched,
    sales::sales_follow_the_orders,
    sales::a_report_is_there_in_two_forms,
    imports::a_file_of_products_is_imported,
    imports::a_file_that_is_none_is_refused,
    imports::the_catalogue_is_exported,
    cancel::a_confirmed_order_is_cancelled,
    cancel::orders_are_cancelled_while_they_are_settled,
    cancel::an_illegal_cancel_is_refused,
    cancel::a_stale_cancel_is_refused,
    shipping::a_confirmed_order_is_shipped_and_delivered,
    emails::an_order_is_confirmed_by_mail,
    emails::a_mail_that_comes_back_is_noted,
    emails::a_forgotten_password_is_replaced_by_mail,
    statistics::statistics_follow_the_orders,
    statistics::a_new_customer_has_empty_statistics,
    statistics::statistics_are_their_owners,
    products::a_product_lives_and_dies,
    products::a_product_has_defaults,
    products::an_id_that_is_taken_is_refused,
    products::a_key_is_one_product,
    products::an_unchanged_product_is_a_304,
    products::a_stale_change_is_refused,
    products::one_of_many_changes_at_once_wins,
    products::a_list_shows_the_products,
    products::the_catalogue_is_sorted_and_filtered,
    products::a_counter_is_read,
    order_lists::a_customer_sees_their_orders,
    order_lists::the_administrator_lists_by_status,
    order_lists::the_administrator_lists_by_customer,
    order_lists::the_administrator_narrows_a_list,
    order_lists::a_full_page_may_be_the_last,
    access::a_guest_places_and_reads_an_order,
    access::a_guest_s_order_needs_its_token,
    access::a_guest_can_do_nothing_else,
    access::a_customer_is_no_administrator,
    access::an_order_is_its_customers,
    access::a_broken_token_is_refused,
    access::a_changed_token_is_refused,
    access::a_token_has_its_time,
    accounts::a_customer_registers_and_orders,
    accounts::an_address_is_one_account,
    accounts::a_registration_is_replayed,
    accounts::a_refresh_token_is_good_once,
    accounts::a_page_renews_its_session_by_a_cookie,
    accounts::a_log_out_ends_the_session,
    accounts::an_account_is_changed,
    accounts::a_role_is_given_and_taken,
    accounts::a_deleted_user_is_gone,
    accounts::a_common_password_is_refused,
    accounts::an_account_is_found_by_its_address,
    accounts::guessing_ends_soon,
    accounts::keys_are_public,
    accounts::mistakes_are_named,
    accounts::a_guest_leaves_an_address,
    bad_input::bodies_that_are_no_object_are_refused,
    bad_fields::of_an_order_are_named,
    bad_fields::of_a_product_are_named,
    bad_fields::of_a_stock_level_are_named,
    bad_input::queries_are_checked,
    bad_input::paths_that_name_nothing_are_refused,
    bad_input::headers_are_checked,
    answers::replies_may_be_cached_as_they_say,
    paging::every_product_is_on_one_page,
    paging::every_order_is_on_one_page,
    paging::a_cursor_is_good_for_its_own_list_only,
    rush::exactly_the_stock_is_sold,
    statistics::statistics_still_add_up_at_the_end,
];
