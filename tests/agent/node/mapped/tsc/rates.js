"use strict";
Object.defineProperty(exports, "__esModule", { value: true });
exports.rate = rate;
function rate(region) {
    const factor = 1 + region.percent / 100;
    return factor;
}
//# sourceMappingURL=rates.js.map