// Events and the hashes that the published algorithm gives them.
#include "grouping/grouping.h"

#include "base/buf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

static struct arena arena;

static struct grouping group_with(const char *json, const char *fingerprint_rules, const char *stack_rules,
                                  struct sentry_event *e)
{
    const struct json_node *root;
    struct grouping_rules *rules;
    struct grouping g;
    struct err err = { 0 };
    str text;
    arena_reset(&arena);
    assert_int_equal(arena_dup(&arena, str_z(json), &text), 0);
    if (json_tree_read(text, &arena, SENTRY_EVENT_DEPTH, &root, &err) < 0)
        fail_msg("%s", err.message);
    assert_int_equal(sentry_event_read(root, &arena, e, &err), 0);
    if (grouping_rules_parse(str_z(fingerprint_rules), str_z(stack_rules), &rules, &err) < 0)
        fail_msg("%s", err.message);
    assert_int_equal(grouping_run(rules, e, &arena, &g), 0);
    struct buf out;
    struct json_writer w;
    buf_init(&out, 1 << 20);
    json_writer_init(&w, &out);
    assert_int_equal(grouping_explain(rules, e, &arena, &w), 0);
    assert_true(str_find(buf_view(&out), str_of(g.hashes[0].ptr, 32)) > 0); // what is explained is what was done
    buf_free(&out);
    grouping_rules_free(rules);
    return g;
}

static void is_with(const char *json, const char *fingerprint_rules, const char *stack_rules, const char *app,
                    const char *system)
{
    struct sentry_event e;
    struct grouping g = group_with(json, fingerprint_rules, stack_rules, &e);
    if (!str_eq(g.hashes[0], str_z(app)))
        fail_msg("%.*s is not %s", STR_ARG(g.hashes[0]), app);
    assert_int_equal(g.hashes_n, system ? 2 : 1);
    if (system && !str_eq(g.hashes[1], str_z(system)))
        fail_msg("%.*s is not %s", STR_ARG(g.hashes[1]), system);
}
static void is(const char *json, const char *app, const char *system) { is_with(json, "", "", app, system); }

static void python(void **state)
{
    is("{\"platform\":\"python\",\"exception\":[{\"type\":\"ValueError\",\"value\":\"hello "
       "world\",\"module\":\"foo.bar\",\"stacktrace\":"
       "{\"frames\":[{\"filename\":\"foo/"
       "baz.py\",\"lineno\":1,\"in_app\":true}]}},{\"type\":\"ValueError\",\"value\":\"hello world\","
       "\"module\":\"foo.bar\",\"stacktrace\":{\"frames\":[{\"filename\":\"foo/"
       "baz.py\",\"lineno\":1,\"in_app\":false}]}}]}",
       "beb01c07d991f36b9da1e90fc7169ad8", "8c527d091797ca91a535be7b461e5059");
}

static void go(void **state)
{
    is("{\"platform\":\"go\",\"exception\":{\"values\":[{\"type\":\"*pq.Error\",\"value\":\"pq: cannot cast jsonb null "
       "to type integer\","
       "\"stacktrace\":{\"frames\":[{\"function\":\"FuncJob.Run\",\"module\":\"github.com/robfig/cron/"
       "v3\",\"filename\":"
       "\"/go/pkg/mod/github.com/robfig/cron/v3@v3.0.0/cron.go\",\"abs_path\":\"/go/pkg/mod/github.com/robfig/cron/"
       "v3@v3.0.0/cron.go\"},"
       "{\"function\":\"background.func2\",\"module\":\"main\",\"filename\":\"/my_app/main.go\",\"abs_path\":\"/my_app/"
       "main.go\",\"in_app\":"
       "true}]}}]}}",
       "98ba9d44b8e7924ce21654996f92c2eb", "6bbf86806a0ec54202e633626ae09bd4");
}

static void node(void **state)
{
    is("{\"platform\":\"node\",\"exception\":{\"values\":[{\"type\":\"Error\",\"value\":\"bad\",\"stacktrace\":{"
       "\"frames\":[{\"function\":"
       "\"processTicksAndRejections\",\"module\":\"task_queues\",\"filename\":\"node:internal/process/"
       "task_queues\",\"abs_path\":"
       "\"node:internal/process/task_queues\"},{\"function\":\"runMicrotasks\",\"filename\":\"(webpack://b/src/api/"
       "AxiosInterceptor.js\"}]}"
       "}]}}",
       "be36642f41f047346396f018f62375d3", NULL);
}

static void javascript(void **state)
{
    is("{\"platform\":\"javascript\",\"exception\":{\"values\":[{\"type\":\"TypeError\",\"value\":\"Cannot read "
       "property 'submitError' of "
       "null\",\"stacktrace\":{\"frames\":[{\"abs_path\":\"webpack:///./app/components/modals/"
       "createTeamModal.jsx\",\"module\":"
       "\"app/components/modals/createTeamModal\",\"in_app\":false,\"lineno\":27,\"filename\":"
       "\"./app/components/modals/createTeamModal.jsx\",\"data\":{\"sourcemap\":\"a.js.map\"},\"context_line\":\"      "
       "  onError(err);\"},"
       "{\"function\":\"onError\",\"abs_path\":\"webpack:///./app/views/settings/components/forms/"
       "form.jsx\",\"module\":"
       "\"app/views/settings/components/forms/form\",\"filename\":\"./app/views/settings/components/forms/"
       "form.jsx\",\"in_app\":false,"
       "\"data\":{\"sourcemap\":\"app.js.map\"},\"context_line\":\"    "
       "this.model.submitError(error);\",\"lineno\":125}]}}]}}",
       "9b140b41d4ae2bd9588ccff62cb8358f", NULL);
    // A browser's stack: methods without their object, eval and native code left out.
    is("{\"platform\":\"javascript\",\"exception\":{\"values\":[{\"type\":\"Error\",\"value\":\"bad\",\"stacktrace\":{"
       "\"frames\":["
       "{\"abs_path\":\"file:///tmp/test.html\",\"filename\":\"/tmp/test.html\",\"lineno\":49,\"in_app\":false},"
       "{\"function\":\"Foo.testMethod\",\"abs_path\":\"file:///tmp/test.html\",\"filename\":\"/tmp/"
       "test.html\",\"lineno\":43},"
       "{\"function\":\"aha\",\"abs_path\":\"file:///tmp/test.html\",\"filename\":\"/tmp/test.html\",\"lineno\":38},"
       "{\"function\":\"eval\",\"abs_path\":\"file:///tmp/test.html\",\"filename\":\"/tmp/test.html\",\"lineno\":1},"
       "{\"function\":\"test\",\"abs_path\":\"file:///tmp/test.html\",\"filename\":\"/tmp/test.html\",\"lineno\":32},"
       "{\"function\":\"Array.map\",\"abs_path\":\"<anonymous>\",\"filename\":\"<anonymous>\"},"
       "{\"abs_path\":\"file:///tmp/test.html\",\"filename\":\"/tmp/test.html\",\"lineno\":33},"
       "{\"function\":\"Object.callback\",\"abs_path\":\"file:///tmp/test.html\",\"filename\":\"/tmp/"
       "test.html\",\"lineno\":24},"
       "{\"function\":\"callAnotherThing\",\"abs_path\":\"file:///tmp/test.html\",\"filename\":\"/tmp/"
       "test.html\",\"lineno\":19},"
       "{\"function\":\"Object.aha\",\"abs_path\":\"file:///tmp/test.html\",\"filename\":\"/tmp/"
       "test.html\",\"lineno\":18}]}}]}}",
       "811a408067f03b8eff2437a8e7515966", NULL);
}

static void java(void **state)
{
    is("{\"platform\":\"java\",\"stacktrace\":{\"frames\":[{\"module\":\"foo.bar.Baz$$Lambda$40/"
       "1673859467\",\"function\":\"call\"}]}}",
       "53b9e9679a8ea25880376080b76f98ad", NULL);
}

static void native(void **state)
{
    is("{\"platform\":\"native\",\"exception\":{\"values\":[{\"stacktrace\":{\"frames\":[{\"function\":\"__scrt_common_"
       "main_seh\",\"filename\":"
       "\"exe_common.inl\",\"lineno\":288,\"in_app\":false},{\"function\":\"invoke_main\",\"filename\":\"exe_common."
       "inl\",\"lineno\":78},"
       "{\"function\":\"main\",\"filename\":\"main.cpp\",\"lineno\":35},{\"function\":\"`anonymous "
       "namespace'::start\",\"filename\":"
       "\"main.cpp\",\"lineno\":28},{\"function\":\"?A0xc3a0617d::crash\",\"filename\":\"main.cpp\",\"lineno\":24}]},"
       "\"type\":"
       "\"EXCEPTION_ACCESS_VIOLATION_WRITE\",\"value\":\"Fatal Error: "
       "EXCEPTION_ACCESS_VIOLATION_WRITE\",\"mechanism\":{\"synthetic\":true,"
       "\"type\":\"minidump\",\"handled\":false}}]}}",
       "46b84e4da51648cc9f9741abd2bdad51", NULL);
    is_with("{\"platform\":\"native\",\"exception\":{\"values\":[{\"stacktrace\":{\"frames\":[{\"function\":"
            "\"Scaleform::GFx::IME::GImeNamesManagerVista::OnActivated(unsigned long,unsigned short,_GUID const "
            "&,HKL__ *)\",\"in_app\":"
            "false},{\"function\":\"Scaleform::GFx::AS3::IMEManager::DispatchEvent(char const *,char const "
            "*)\",\"in_app\":false},"
            "{\"function\":\"<lambda_5db80dab47756d3e72c2dcd38b80b1dd>::operator()\",\"in_app\":false}]},\"type\":"
            "\"log_demo\",\"value\":"
            "\"Everything is on fire!\",\"mechanism\":{\"type\":\"minidump\",\"synthetic\":true}}]}}",
            "", "family:native max-frames=1", "8f4c7709e4af98d3c47ce3519690e6d9", NULL);
}

static void groups(void **state)
{
    is("{\"exception\":{\"values\":[{\"type\":\"MyApp.BeansException\",\"value\":\"Test "
       "2\",\"mechanism\":{\"type\":\"chained\","
       "\"exception_id\":3,\"parent_id\":1}},{\"type\":\"MyApp.CoolException\",\"value\":\"Test "
       "1\",\"mechanism\":{\"type\":\"chained\","
       "\"exception_id\":2,\"parent_id\":1}},{\"type\":\"System.AggregateException\",\"value\":\"One or more errors "
       "occurred.\","
       "\"mechanism\":{\"type\":\"x\",\"is_exception_group\":true,\"exception_id\":1,\"parent_id\":0}},{\"type\":"
       "\"System.AggregateException\",\"value\":\"One or more errors "
       "occurred.\",\"mechanism\":{\"type\":\"x\",\"is_exception_group\":true,"
       "\"exception_id\":0}}]}}",
       "fca0fd23f09e8da4481304ef2a531100", NULL);
}

static void reports(void **state)
{
    is("{\"expectct\":{\"hostname\":\"example.com\",\"port\":443}}", "3d2933f4b5ec459ec8d569a398fd328c", NULL);
    is("{\"csp\":{\"effective_directive\":\"img-src\",\"blocked_uri\":\"data:text/plain,x\"}}",
       "4e6f2bce9d121aa89f4dc5e5da08afb5", NULL);
    is("{\"logentry\":{\"formatted\":\"Hello there world!\"}}", "329b29efcf1f77067a063e34f56e7791", NULL);
    is("{\"exception\":{\"values\":[{\"value\":\"hello world\"}]}}", "5eb63bbbe01eeed093cb22bb8f5acdc3", NULL);
    is("{}", "d41d8cd98f00b204e9800998ecf8427e", NULL); // nothing at all: one group
    is("{\"checksum\":\"11111111111111111111111111111111\",\"message\":\"x\"}", "11111111111111111111111111111111",
       NULL);
    is("{\"checksum\":\"hello\"}", "5d41402abc4b2a76b9719d911017c592", NULL);
}

static void fingerprints(void **state)
{
    is("{\"fingerprint\":[\"{{ default }}\",\"adopt don't "
       "shop\"],\"exception\":{\"values\":[{\"type\":\"FailedToFetchError\",\"value\":"
       "\"FailedToFetchError: Charlie didn't bring the ball back!\"}]},\"platform\":\"javascript\"}",
       "5b5ad5a0fbb4deb5e3fc631ce42681ae", NULL);
    is("{\"fingerprint\":[\"{{ message }}\",\"dogs are "
       "great\"],\"exception\":{\"values\":[{\"type\":\"FailedToFetchError\",\"value\":"
       "\"FailedToFetchError: Charlie didn't bring 5 balls back!\"}]}}",
       "b31e899e08ed071ee0534f28745910d0", NULL);
    is_with("{\"fingerprint\":[\"celery\"],\"exception\":{\"values\":[{\"type\":\"SoftTimeLimitExceeded\",\"value\":"
            "\"x\"}]}}",
            "type:SoftTimeLimitExceeded -> soft-timelimit-exceeded", "", "554e214208f0372603dc9fa6c1c0965f", NULL);
}

static void stack_rules(void **state)
{
    is_with("{\"exception\":{\"values\":[{\"type\":\"FailedToFetchError\",\"value\":\"FailedToFetchError: Charlie "
            "didn't bring the ball "
            "back!\",\"stacktrace\":{\"frames\":[{\"function\":\"runApp\",\"filename\":\"/node_modules/express/"
            "app.js\",\"context_line\":"
            "\"return "
            "server.serve(port);\"},{\"function\":\"handleRequest\",\"filename\":\"/node_modules/express/router.js\","
            "\"context_line\":\"return "
            "handler(request);\"},{\"function\":\"recordMetrics\",\"filename\":\"/dogApp/metrics.js\","
            "\"context_line\":\"return withMetrics(handler, metricName, tags);\"}]}}]},\"platform\":\"javascript\"}",
            "",
            "stack.function:runApp -app -group \n stack.function:handleRequest -app +group \n "
            "stack.function:recordMetrics +app -group",
            "9b3e1c08a50257c5ad760f1f3205a48b", NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(python),      cmocka_unit_test(go),      cmocka_unit_test(node),
        cmocka_unit_test(javascript),  cmocka_unit_test(java),    cmocka_unit_test(native),
        cmocka_unit_test(groups),      cmocka_unit_test(reports), cmocka_unit_test(fingerprints),
        cmocka_unit_test(stack_rules),
    };
    arena_init(&arena, 16 << 20);
    int r = cmocka_run_group_tests(tests, NULL, NULL);
    arena_free(&arena);
    return r;
}
