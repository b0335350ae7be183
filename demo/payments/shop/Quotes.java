package shop;

import java.math.BigDecimal;
import java.math.RoundingMode;
import java.util.Map;

/** An amount of the price list (USD) in the customer's currency, with the fee of its card scheme. */
final class Quotes {
    record Quote(BigDecimal amount, BigDecimal fee, BigDecimal rate) {}

    private static final Map<String, BigDecimal> FEES =
        Map.of("USD", new BigDecimal("0.029"), "EUR", new BigDecimal("0.014"), "GBP", new BigDecimal("0.015"));

    private final Rates rates;

    Quotes(Rates rates) {
        this.rates = rates;
    }

    Quote quote(BigDecimal amount, String currency) throws InterruptedException {
        BigDecimal share = FEES.get(currency);
        if (share == null) throw new IllegalArgumentException("no such currency");
        BigDecimal rate = currency.equals("USD") ? BigDecimal.ONE : rates.of(currency);
        BigDecimal converted = amount.multiply(rate).setScale(2, RoundingMode.HALF_EVEN);
        return new Quote(converted, converted.multiply(share).setScale(2, RoundingMode.UP), rate);
    }
}
