// of two parts
// src/rates.ts
function rate(region) {
  const factor = 1 + region.percent / 100;
  return factor;
}

// src/orders.ts
var Order = class {
  constructor(id, items) {
    this.id = id;
    this.items = items;
  }
  total(region) {
    let sum = 0;
    for (const item of this.items) {
      sum += item.price;
    }
    const taxed = sum * rate(region);
    return taxed;
  }
};
var Refund = class {
  constructor(order) {
    this.order = order;
  }
  total(percent) {
    const back = this.order * percent;
    return back;
  }
};
function place(orderNumber, discount) {
  const password = "hunter2hunter2";
  const order = new Order(orderNumber, [{ name: "tea", price: 4 }, { name: "pot", price: 16 - discount }]);
  const total = order.total({ name: "north", percent: 10 });
  console.log(`calls ${orderNumber} ran ${password.length - 14}`);
  return total + new Refund(orderNumber).total(0.5);
}

// src/main.ts
var count = 0;
setInterval(() => {
  count += 1;
  place(count, 2);
}, 20);
console.log("ready");
//# sourceMappingURL=index.js.map
