// A small program on the unmodified Sentry SDK for Rust: sentry_rust DSN. Prints the trace id.
use std::{collections::BTreeMap, env, fmt, time::Duration};

#[derive(Debug)]
struct NoRate {
    coupon: &'static str,
}

impl fmt::Display for NoRate {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "coupon {} has no rate", self.coupon)
    }
}

impl std::error::Error for NoRate {}

fn total(coupon: &'static str) -> Result<i64, NoRate> {
    Err(NoRate { coupon })
}

fn main() {
    let options = sentry::ClientOptions {
        release: Some("web@5.12.0+8".into()),
        environment: Some("conformance".into()),
        traces_sample_rate: 1.0,
        attach_stacktrace: true,
        enable_logs: true,
        ..Default::default()
    };
    let client = sentry::init((env::args().nth(1).expect("a DSN"), options));
    let user = sentry::User { id: Some("u_7".into()), email: Some("ariadne@example.com".into()), ..Default::default() };
    let transaction = sentry::start_transaction(sentry::TransactionContext::new("GET /cart", "http.server"));
    println!("{}", transaction.get_trace_context().trace_id);
    sentry::configure_scope(|scope| {
        scope.set_user(Some(user));
        scope.set_tag("coupon.kind", "percent_bp");
        scope.set_extra("order", 7.into());
        scope.set_span(Some(transaction.clone().into()));
    });
    transaction.start_child("db", "SELECT 1").finish();
    sentry::add_breadcrumb(sentry::Breadcrumb {
        category: Some("cart".into()),
        message: Some("cart loaded".into()),
        data: BTreeMap::new(),
        ..Default::default()
    });
    if let Err(error) = total("AUTUMN-15") {
        sentry::capture_error(&error);
    }
    sentry::logger_warn!("cart is slow");
    transaction.finish();
    assert!(client.flush(Some(Duration::from_secs(10))), "not everything was sent");
}
