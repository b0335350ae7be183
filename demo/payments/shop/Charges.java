package shop;

import java.util.concurrent.ThreadLocalRandom;
import java.util.logging.Logger;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Takes the money, at the pace of a bank. Some customers' cards are declined, each time: about one in a hundred. */
final class Charges {
    private static final Logger LOG = Logger.getLogger(Charges.class.getName());
    private static final int BANK_MS_MIN = 18;
    private static final int BANK_MS_MAX = 70;
    private static final Pattern CUSTOMER = Pattern.compile("u_([0-9]{1,9})");
    private static final long DECLINED_EVERY = 97;

    boolean charge(String order, String customer, String amount, String currency) throws InterruptedException {
        if (order == null || customer == null || amount == null || currency == null) throw new IllegalArgumentException("a field is missing");
        Matcher number = CUSTOMER.matcher(customer);
        Thread.sleep(ThreadLocalRandom.current().nextInt(BANK_MS_MIN, BANK_MS_MAX));
        if (number.matches() && Long.parseLong(number.group(1)) % DECLINED_EVERY == 0) {
            LOG.info("order " + order + ": card declined");
            return false;
        }
        LOG.info("order " + order + ": " + amount + " " + currency + " charged");
        return true;
    }
}
