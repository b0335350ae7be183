// The stack-trace rules that hold everywhere: what is no part of an application in the ecosystems that send here, in the order that
// makes hashes agree with the published ones (all-platforms:2026-01-20). A line is a rule, once for each of its names. Left out, since
// those frames do not come here: engines of games, drivers of graphics, vendors of phones, Dart.
#include "grouping/grouping_internal.h"

static const struct {
    const char *rule; // % is a name
    const char *names;
} sets[] = {
    // --- categories: what kind of code it is
    { "family:native package:% category=system",
      "/System/Library/Frameworks/** C:/Windows/** /usr/lib/** CoreFoundation Foundation CFNetwork IOKit QuartzCore "
      "libobjc* "
      "libsystem* /system/** /vendor/** libdispatch.dylib WebKit **/libart.so linux-gate.so* linux-vdso.so*" },
    { "family:native function:% category=system", "memset memcpy __memcpy memcmp" },
    { "module:% category=system", "dalvik.system.* com.android.*" },
    { "package:% category=system", "/apex/com.android.*/lib*/**" },
    { "family:native function:% category=std", "boost::* std::*" },
    { "module:% category=std",
      "java.* com.google.crypto.* com.google.android.* javax.crypto.* android.database.* androidx.* android.*" },
    { "module:% category=system", "android.os.*" },
    { "family:native package:% category=ui", "UIKit UIKitCore SwiftUI AttributeGraph CoreAutoLayout GraphicsServices" },
    { "module:% category=ui", "android.view.* android.text.* android.widget.* android.app.Dialog androidx.*.widget.* "
                              "com.google.android.material.*" },
    { "category:ui function:% category=indirection", "handleMessage run" },
    { "family:native function:% category=runtime", "art::jit::*" },
    { "family:native function:% category=internals", "std::_* __swift_* block_destroy_helper*" },
    { "family:native function:% app:no category=internals", "*_block_invoke*" },
    { "family:native package:/usr/lib/system/** function:% category=threadbase", "start" },
    { "family:native package:libdyld.dylib function:% category=threadbase", "start" },
    { "family:native package:% function:UIApplicationMain category=threadbase", "UIKitCore UIKit" },
    { "family:native function:% category=threadbase", "wWinMain invoke_main BaseThreadInitThunk RtlUserThreadStart "
                                                      "thread_start _pthread_start __pthread_start _pthread_body "
                                                      "_dispatch_worker_thread2 start_wqthread _pthread_wqthread "
                                                      "boost::*::thread_proxy TppWorkerThread TppWorkpExecuteCallback "
                                                      "RtlpTpWorkCallback" },
    { "module:% function:call category=threadbase", "android.os.AsyncTask* android.os.*" },
    { "module:% function:runWorker category=threadbase", "java.util.concurrent.ThreadPoolExecutor*" },
    { "module:% function:main category=threadbase", "android.app.ActivityThread" },
    { "module:% function:loop category=threadbase", "android.os.Looper" },
    { "module:android.os.Handler function:% category=threadbase", "dispatchMessage handleCallback" },
    { "module:% function:handleMessage category=threadbase", "android.app.ActivityThread*" },
    { "family:native package:% category=malloc", "**/libsystem_malloc.dylib" },
    { "family:native function:% category=malloc",
      "malloc malloc_base RtlpAllocateHeapInternal std::*::allocator_traits*" },
    { "family:native function:% category=indirection",
      "*::operator()* *<lambda>* destructor' __dynamic_cast boost::function* boost::_bi::* "
      "boost::detail::function::functor_manager* Array.subscript.*" },
    { "module:% category=indirection", "java.lang.reflect.* androidx.work.impl.utils.ForceStopRunnable" },
    { "module:java.lang.Class function:% category=indirection", "getMethod" },
    { "family:native function:% category=dtor", "*::\\{dtor\\} destructor'" },
    { "family:native function:% category=shutdown",
      "exit RtlExitUserProcess ExitProcessImplementation RtlExitUserThread" },
    { "family:native function:% category=handler",
      "RtlpExecuteHandlerForException _sigtramp DispatchHookW execute_onexit_table" },
    { "family:native function:% category=throw",
      "abort raise std::terminate RtlExitUserThread TppRaiseInvalidParameter _CxxThrowException RaiseException "
      "RaiseComPlusException "
      "_CFThrowFormattedException objc_exception_throw AG::precondition_failure*" },
    { "family:native function:% category=free",
      "RtlFreeHeap RtlFreeUnicodeString std::_Deallocate free objc_release _swift_release_dealloc _CFRelease" },
    { "family:native function:% category=telemetry", "crashpad::*" },
    { "family:native function:% category=load", "dlopen dladdr ImageLoaderMachO::findClosestSymbol" },
    { "module:java.lang.System function:% category=load", "loadLibrary" },
    { "module:java.lang.Runtime function:% category=load", "loadLibrary*" },
    { "family:native function:% category=lock", "pthread_mutex_lock" },
    // --- of a chain of one kind only its outermost call says anything
    { "[ category:malloc ] | category:malloc category=internals", "" },
    { "function:<module> | [ function:spawn_main ] category=internals", "" },
    { "[ function:_purecall ] | category:throw category=internals", "" },
    { "[ category:throw ] | category:throw category=internals", "" },
    { "family:native category:system function:_* !function:_purecall category=internals", "" },
    { "family:native category:system function:<unknown> category=internals", "" },
    { "family:native function:% category=internals", "_INTERNAL* closure Collection.map<T> Array.subscript.getter "
                                                     "Array._getElement _ArrayBuffer._nativeTypeChecked.getter range "
                                                     "@callee_guaranteed" },
    { "family:native function:% category=indirection", "*.cold.1" },
    { "[ !category:system ] | category:system | [ !category:system ] category=indirection", "" },
    { "[ category:% ] | category:system category=internals", "free system std" },
    { "[ category:std ] | category:std category=internals", "" },
    { "[ category:ui ] | category:% category=internals", "ui system" },
    { "[ category:internals ] | category:% category=internals", "system ui" },
    { "[ category:load ] | category:% category=internals", "system load" },
    { "[ category:throw ] | category:system category=internals", "" },
    { "[ category:runtime ] | category:% category=internals", "system runtime" },
    { "[ category:dtor ] | category:dtor category=internals", "" },
    { "module:% category=framework", "akka.* com.fasterxml.* com.microsoft.* com.sun.* feign.* io.opentelemetry.*" },
    { "module:io.sentry.* category=framework -group", "" },
    { "module:% category=framework", "jdk.* oauth.* org.apache.* org.glassfish.* org.jboss.* org.jdesktop.* "
                                     "org.postgresql.* org.springframework.* org.web3j.* "
                                     "reactor.core.* scala.* sun.*" },
    // --- where applications are installed
    { "family:native package:% +app",
      "/var/containers/Bundle/Application/** /private/var/containers/Bundle/Application/** "
      "**/Developer/CoreSimulator/Devices/** "
      "**/Containers/Bundle/Application/** **.app/Contents/** /Users/**" },
    { "package:% -app", "/lib/** /usr/lib/**" },
    { "path:% -app", "/usr/local/lib/** /usr/local/Cellar/** **/.local/share/**" },
    // --- Rust, C++, Objective-C: how an error leaves the application
    { "family:native function:% -app", "std::* core::* alloc::* __rust_* rust_begin_unwind" },
    { "family:native function:% ^-group -group ^-app -app",
      "std::panicking::begin_panic core::panicking::begin_panic failure::backtrace::Backtrace::new "
      "error_chain::make_backtrace" },
    { "family:native function:% ^-app -app", "std::panicking::panic_fmt core::panicking::panic_fmt" },
    { "family:native function:% ^-group -group ^-app -app",
      "_CxxThrowException __cxa_throw __assert_rtn _NSRaiseError" },
    { "family:native function:_mh_execute_header -group -app", "" },
    { "family:native function:google_breakpad::* -app -group", "" },
    { "family:native function:google_breakpad::ExceptionHandler::% ^-group -group",
      "SignalHandler WriteMinidumpWithException" },
    { "family:native package:% -app", "**/Frameworks/libswift*.dylib **/Frameworks/KSCrash.framework/** "
                                      "**/Frameworks/SentrySwift.framework/** **/Frameworks/Sentry.framework/**" },
    { "family:native function:% -app -group",
      "kscm_* sentrycrashcm_* kscrash_* *sentrycrash_* ?[[]KSCrash* ?[[]RNSentry* __*[[]Sentry* ?[[]Sentry*" },
    // --- what categories mean
    { "category:throw ^-group -group ^-app -app", "" },
    { "category:system -app", "" },
    { "category:threadbase -group v-group", "" },
    { "category:handler ^-group -group", "" },
    { "category:telemetry -app -group", "" },
    { "category:indirection -group", "" },
    { "category:internals -app -group", "" },
    { "category:threadbase v-group -group", "" },
    // --- packages of other people
    { "path:% -app", "**/vendor/** **/site-packages/** **/dist-packages/** **/node_modules/**" },
    { "module:% -app", "unpkg/**" },
    { "path:% -app",
      "**https://unpkg.com/** **https://cdnjs.cloudflare.com/** **https://cdn.jsdelivr.net/** **https://esm.run/**" },
    { "family:javascript function:reportError ^-app -app", "" },
    { "module:% -app -group", "@babel/** core-js/** regenerator-runtime/** tslib/**" },
    { "family:javascript function:_callSuper -app -group", "" },
    { "function:% -app -group", "runMicrotasks queueMicrotask processTicksAndRejections runNextTicks nextTick" },
    { "path:% -app", "**/go/pkg/mod/**" },
    { "category:framework -app", "" },
    { "module:% -app", "kotlin.* kotlinx.* io.ktor.* io.netty.*" },
    { "module:% -app -group", "newrelic" },
    { "path:% -app -group", "**/*newrelic*/** **/*LogRocket*/**" },
};

// The rule of a set for one name; a rule without a % is itself.
static str rule_text(const char *rule, str name, struct arena *arena)
{
    const char *at = strchr(rule, '%');
    return at ? arena_printf(arena, "%.*s%.*s%s", (int)(at - rule), rule, STR_ARG(name), at + 1) : str_z(rule);
}

int builtin_stack_rules(struct grouping_rules *rules, struct err *err)
{
    for (size_t i = 0; i < sizeof sets / sizeof sets[0]; i++) {
        str names = str_z(sets[i].names);
        size_t pos = 0;
        do {
            ptrdiff_t space = str_find_char(names, ' ', pos);
            str name = str_slice(names, pos, space < 0 ? names.len : (size_t)space);
            str text = rule_text(sets[i].rule, name, &rules->arena);
            if (!text.ptr)
                return err_set(err, ERR_NOMEM, NULL, "out of memory");
            int r = stack_rules_parse(text, true, rules, err);
            if (r < 0)
                return r;
            pos = space < 0 ? names.len : (size_t)space + 1;
        } while (pos < names.len);
    }
    return 0;
}
