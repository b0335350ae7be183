"use strict";
Object.defineProperty(exports, "__esModule", { value: true });
const orders_1 = require("./orders");
let count = 0;
setInterval(() => {
    count += 1;
    (0, orders_1.place)(count, 2);
}, 20);
console.log('ready');
//# sourceMappingURL=main.js.map