// A small program on the unmodified Sentry SDK for Go: sentry_go DSN. Prints the trace id.
package main

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/getsentry/sentry-go"
)

type noRate struct{ coupon string }

func (e noRate) Error() string { return "coupon " + e.coupon + " has no rate" }

func total(coupon string) error { return fmt.Errorf("order 7 not priced: %w", noRate{coupon}) }

func main() {
	err := sentry.Init(sentry.ClientOptions{
		Dsn: os.Args[1], Release: "web@5.12.0+8", Environment: "conformance", EnableTracing: true, TracesSampleRate: 1, AttachStacktrace: true,
	})
	if err != nil {
		panic(err)
	}
	sentry.ConfigureScope(func(scope *sentry.Scope) {
		scope.SetUser(sentry.User{ID: "u_7", Email: "ariadne@example.com"})
		scope.SetTag("coupon.kind", "percent_bp")
		scope.SetExtra("order", 7)
	})
	transaction := sentry.StartTransaction(sentry.SetHubOnContext(context.Background(), sentry.CurrentHub()), "GET /cart", sentry.WithOpName("http.server"))
	fmt.Println(transaction.TraceID)
	query := transaction.StartChild("db")
	query.Description = "SELECT 1"
	query.Finish()
	hub := sentry.GetHubFromContext(transaction.Context())
	hub.AddBreadcrumb(&sentry.Breadcrumb{Category: "cart", Message: "cart loaded"}, nil)
	hub.CaptureException(total("AUTUMN-15"))
	transaction.Finish()
	if !sentry.Flush(10 * time.Second) {
		panic("not everything was sent")
	}
}
