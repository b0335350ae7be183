package shop;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.math.BigDecimal;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.Executors;
import java.util.logging.Level;
import java.util.logging.Logger;

/** What an order costs in the customer's currency, and the charge. The JDK's own HTTP server; what is seen of it the agent sees. */
public final class Payments {
    private static final Logger LOG = Logger.getLogger(Payments.class.getName());
    private static final int BODY_BYTES_MAX = 4096;
    private static final int THREADS = 8;

    private record Answer(int status, String body) {}

    private interface Call {
        Answer answer(Map<String, String> form) throws Exception;
    }

    public static void main(String[] args) throws IOException {
        Rates rates = new Rates(URI.create(System.getenv("RATES_URL")));
        Quotes quotes = new Quotes(rates);
        Charges charges = new Charges();
        int port = Integer.parseInt(System.getenv("PORT"));
        HttpServer server = HttpServer.create(new InetSocketAddress("127.0.0.1", port), 64);
        server.setExecutor(Executors.newFixedThreadPool(THREADS));
        server.createContext("/v1/quotes", exchange -> serve(exchange, form -> {
            Quotes.Quote quote = quotes.quote(new BigDecimal(form.get("amount")), form.get("currency"));
            return new Answer(200, "{\"amount\":\"" + quote.amount() + "\",\"fee\":\"" + quote.fee() + "\",\"rate\":\"" + quote.rate() + "\"}");
        }));
        server.createContext("/v1/charges", exchange -> serve(exchange, form -> {
            boolean taken = charges.charge(form.get("order"), form.get("customer"), form.get("amount"), form.get("currency"));
            return taken ? new Answer(201, "{\"charged\":true}") : new Answer(402, "{\"error\":\"card declined\"}");
        }));
        server.start();
        LOG.info("payments listens on port " + port);
    }

    private static void serve(HttpExchange exchange, Call call) throws IOException {
        Answer answer;
        try {
            answer = exchange.getRequestMethod().equals("POST") ? call.answer(form(exchange)) : new Answer(405, "{\"error\":\"POST only\"}");
        } catch (IllegalArgumentException | NullPointerException e) {
            answer = new Answer(400, "{\"error\":\"bad form\"}");
        } catch (Exception e) {
            LOG.log(Level.SEVERE, exchange.getRequestURI().getPath() + " failed", e);
            answer = new Answer(500, "{\"error\":\"internal error\"}");
        }
        byte[] bytes = answer.body().getBytes(StandardCharsets.UTF_8);
        exchange.getResponseHeaders().set("content-type", "application/json");
        exchange.sendResponseHeaders(answer.status(), bytes.length);
        exchange.getResponseBody().write(bytes);
        exchange.close();
    }

    private static Map<String, String> form(HttpExchange exchange) throws IOException {
        byte[] body = exchange.getRequestBody().readNBytes(BODY_BYTES_MAX + 1);
        if (body.length > BODY_BYTES_MAX) throw new IllegalArgumentException("body too large");
        Map<String, String> form = new HashMap<>();
        for (String pair : new String(body, StandardCharsets.UTF_8).split("&")) {
            int equals = pair.indexOf('=');
            if (equals > 0) form.put(pair.substring(0, equals), URLDecoder.decode(pair.substring(equals + 1), StandardCharsets.UTF_8));
        }
        return form;
    }

    private Payments() {}
}
