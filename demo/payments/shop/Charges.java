package shop;

import java.util.concurrent.ThreadLocalRandom;
import java.util.logging.Logger;

/** Takes the money, at the pace of a bank; one card in a hundred is declined. */
final class Charges {
    private static final Logger LOG = Logger.getLogger(Charges.class.getName());
    private static final int BANK_MS_MIN = 18;
    private static final int BANK_MS_MAX = 70;
    private static final int DECLINED_OF_HUNDRED = 1;

    boolean charge(String order, String amount, String currency) throws InterruptedException {
        if (order == null || amount == null || currency == null) throw new IllegalArgumentException("order, amount and currency");
        ThreadLocalRandom random = ThreadLocalRandom.current();
        Thread.sleep(random.nextInt(BANK_MS_MIN, BANK_MS_MAX));
        if (random.nextInt(100) < DECLINED_OF_HUNDRED) {
            LOG.info("order " + order + ": card declined");
            return false;
        }
        LOG.info("order " + order + ": " + amount + " " + currency + " charged");
        return true;
    }
}
