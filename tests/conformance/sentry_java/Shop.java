// A small program on the unmodified Sentry SDK for Java: java -cp SDK Shop.java DSN. Prints the trace id.
import io.sentry.Breadcrumb;
import io.sentry.ITransaction;
import io.sentry.Sentry;
import io.sentry.TransactionOptions;
import io.sentry.protocol.User;
import java.util.Map;

public final class Shop {
    static int total(Map<String, Integer> order) {
        return 2 * order.get("rate"); // NullPointerException for an order without a rate
    }

    public static void main(String[] args) {
        Sentry.init(options -> {
            options.setDsn(args[0]);
            options.setRelease("web@5.12.0+8");
            options.setEnvironment("conformance");
            options.setTracesSampleRate(1.0);
            options.setEnableUncaughtExceptionHandler(false);
            options.addInAppInclude("Shop");
            options.getLogs().setEnabled(true);
        });
        Sentry.startSession();
        Sentry.configureScope(scope -> {
            User user = new User();
            user.setId("u_7");
            user.setEmail("ariadne@example.com");
            scope.setUser(user);
            scope.setTag("coupon.kind", "percent_bp");
            scope.setExtra("order", "7");
        });
        TransactionOptions bound = new TransactionOptions();
        bound.setBindToScope(true);
        ITransaction transaction = Sentry.startTransaction("GET /cart", "http.server", bound);
        System.out.println(transaction.getSpanContext().getTraceId());
        transaction.startChild("db", "SELECT 1").finish();
        Sentry.addBreadcrumb(Breadcrumb.info("cart loaded"));
        Sentry.logger().warn("cart is slow");
        try {
            total(Map.of());
        } catch (NullPointerException error) {
            Sentry.captureException(error);
        }
        transaction.finish();
        Sentry.endSession();
        Sentry.close();
    }
}
