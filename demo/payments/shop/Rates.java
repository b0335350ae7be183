package shop;

import java.io.IOException;
import java.math.BigDecimal;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.logging.Level;
import java.util.logging.Logger;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Asks the rate service anew for each order, and makes do with the last rate when it does not answer. */
final class Rates {
    private static final Logger LOG = Logger.getLogger(Rates.class.getName());
    private static final Duration PATIENCE = Duration.ofMillis(800);
    private static final long SLOW_MS = 200;
    private static final Pattern RATE = Pattern.compile("\"rate\":([0-9]{1,6}(?:\\.[0-9]{1,9})?)[,}]");

    private final HttpClient client = HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).connectTimeout(PATIENCE).build();
    private final Map<String, BigDecimal> last =
        new ConcurrentHashMap<>(Map.of("EUR", new BigDecimal("0.92"), "GBP", new BigDecimal("0.79")));
    private final URI service;

    Rates(URI service) {
        this.service = service;
    }

    BigDecimal of(String currency) throws InterruptedException {
        long began = System.nanoTime();
        HttpRequest request = HttpRequest.newBuilder(service.resolve("/latest?base=" + currency)).timeout(PATIENCE).build();
        try {
            HttpResponse<String> response = client.send(request, HttpResponse.BodyHandlers.ofString());
            Matcher found = RATE.matcher(response.body());
            if (response.statusCode() != 200 || !found.find()) throw new IOException("it answered " + response.statusCode());
            last.put(currency, new BigDecimal(found.group(1)));
            long took = (System.nanoTime() - began) / 1_000_000;
            if (took > SLOW_MS) LOG.warning("fx-rates slow: " + took + " ms for " + currency);
        } catch (IOException e) {
            LOG.log(Level.WARNING, "fx-rates did not answer in " + PATIENCE.toMillis() + " ms, using the last rate of " + currency, e);
        }
        return last.get(currency);
    }
}
