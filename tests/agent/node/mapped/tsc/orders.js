"use strict";
Object.defineProperty(exports, "__esModule", { value: true });
exports.Refund = exports.Order = void 0;
exports.place = place;
// What is debugged, as its people wrote it.
const rates_1 = require("./rates");
class Order {
    id;
    items;
    constructor(id, items) {
        this.id = id;
        this.items = items;
    }
    total(region) {
        let sum = 0;
        for (const item of this.items) {
            sum += item.price;
        }
        const taxed = sum * (0, rates_1.rate)(region);
        return taxed;
    }
}
exports.Order = Order;
class Refund {
    order;
    constructor(order) {
        this.order = order;
    }
    total(percent) {
        const back = this.order * percent;
        return back;
    }
}
exports.Refund = Refund;
function place(orderNumber, discount) {
    const password = 'hunter2hunter2';
    const order = new Order(orderNumber, [{ name: 'tea', price: 4 }, { name: 'pot', price: 16 - discount }]);
    const total = order.total({ name: 'north', percent: 10 });
    console.log(`calls ${orderNumber} ran ${password.length - 14}`);
    return total + new Refund(orderNumber).total(0.5);
}
//# sourceMappingURL=orders.js.map