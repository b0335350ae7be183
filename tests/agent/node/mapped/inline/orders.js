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
//# sourceMappingURL=data:application/json;base64,eyJ2ZXJzaW9uIjozLCJmaWxlIjoib3JkZXJzLmpzIiwic291cmNlUm9vdCI6IiIsInNvdXJjZXMiOlsiLi4vc3JjL29yZGVycy50cyJdLCJuYW1lcyI6W10sIm1hcHBpbmdzIjoiOzs7QUE4QkEsc0JBTUM7QUFwQ0QsNENBQTRDO0FBQzVDLG1DQUEwQztBQU8xQyxNQUFhLEtBQUs7SUFDSztJQUFvQjtJQUF6QyxZQUFxQixFQUFVLEVBQVUsS0FBYTtRQUFqQyxPQUFFLEdBQUYsRUFBRSxDQUFRO1FBQVUsVUFBSyxHQUFMLEtBQUssQ0FBUTtJQUFHLENBQUM7SUFFMUQsS0FBSyxDQUFDLE1BQVk7UUFDaEIsSUFBSSxHQUFHLEdBQUcsQ0FBQyxDQUFDO1FBQ1osS0FBSyxNQUFNLElBQUksSUFBSSxJQUFJLENBQUMsS0FBSyxFQUFFLENBQUM7WUFDOUIsR0FBRyxJQUFJLElBQUksQ0FBQyxLQUFLLENBQUM7UUFDcEIsQ0FBQztRQUNELE1BQU0sS0FBSyxHQUFHLEdBQUcsR0FBRyxJQUFBLFlBQUksRUFBQyxNQUFNLENBQUMsQ0FBQztRQUNqQyxPQUFPLEtBQUssQ0FBQztJQUNmLENBQUM7Q0FDRjtBQVhELHNCQVdDO0FBRUQsTUFBYSxNQUFNO0lBQ0k7SUFBckIsWUFBcUIsS0FBYTtRQUFiLFVBQUssR0FBTCxLQUFLLENBQVE7SUFBRyxDQUFDO0lBRXRDLEtBQUssQ0FBQyxPQUFlO1FBQ25CLE1BQU0sSUFBSSxHQUFHLElBQUksQ0FBQyxLQUFLLEdBQUcsT0FBTyxDQUFDO1FBQ2xDLE9BQU8sSUFBSSxDQUFDO0lBQ2QsQ0FBQztDQUNGO0FBUEQsd0JBT0M7QUFFRCxTQUFnQixLQUFLLENBQUMsV0FBbUIsRUFBRSxRQUFnQjtJQUN6RCxNQUFNLFFBQVEsR0FBRyxnQkFBZ0IsQ0FBQztJQUNsQyxNQUFNLEtBQUssR0FBRyxJQUFJLEtBQUssQ0FBQyxXQUFXLEVBQUUsQ0FBQyxFQUFFLElBQUksRUFBRSxLQUFLLEVBQUUsS0FBSyxFQUFFLENBQUMsRUFBRSxFQUFFLEVBQUUsSUFBSSxFQUFFLEtBQUssRUFBRSxLQUFLLEVBQUUsRUFBRSxHQUFHLFFBQVEsRUFBRSxDQUFDLENBQUMsQ0FBQztJQUN6RyxNQUFNLEtBQUssR0FBRyxLQUFLLENBQUMsS0FBSyxDQUFDLEVBQUUsSUFBSSxFQUFFLE9BQU8sRUFBRSxPQUFPLEVBQUUsRUFBRSxFQUFFLENBQUMsQ0FBQztJQUMxRCxPQUFPLENBQUMsR0FBRyxDQUFDLFNBQVMsV0FBVyxRQUFRLFFBQVEsQ0FBQyxNQUFNLEdBQUcsRUFBRSxFQUFFLENBQUMsQ0FBQztJQUNoRSxPQUFPLEtBQUssR0FBRyxJQUFJLE1BQU0sQ0FBQyxXQUFXLENBQUMsQ0FBQyxLQUFLLENBQUMsR0FBRyxDQUFDLENBQUM7QUFDcEQsQ0FBQyIsInNvdXJjZXNDb250ZW50IjpbIi8vIFdoYXQgaXMgZGVidWdnZWQsIGFzIGl0cyBwZW9wbGUgd3JvdGUgaXQuXG5pbXBvcnQgeyByYXRlLCB0eXBlIFJhdGUgfSBmcm9tICcuL3JhdGVzJztcblxuaW50ZXJmYWNlIEl0ZW0ge1xuICBuYW1lOiBzdHJpbmc7XG4gIHByaWNlOiBudW1iZXI7XG59XG5cbmV4cG9ydCBjbGFzcyBPcmRlciB7XG4gIGNvbnN0cnVjdG9yKHJlYWRvbmx5IGlkOiBudW1iZXIsIHByaXZhdGUgaXRlbXM6IEl0ZW1bXSkge31cblxuICB0b3RhbChyZWdpb246IFJhdGUpOiBudW1iZXIge1xuICAgIGxldCBzdW0gPSAwO1xuICAgIGZvciAoY29uc3QgaXRlbSBvZiB0aGlzLml0ZW1zKSB7XG4gICAgICBzdW0gKz0gaXRlbS5wcmljZTtcbiAgICB9XG4gICAgY29uc3QgdGF4ZWQgPSBzdW0gKiByYXRlKHJlZ2lvbik7XG4gICAgcmV0dXJuIHRheGVkO1xuICB9XG59XG5cbmV4cG9ydCBjbGFzcyBSZWZ1bmQge1xuICBjb25zdHJ1Y3RvcihyZWFkb25seSBvcmRlcjogbnVtYmVyKSB7fVxuXG4gIHRvdGFsKHBlcmNlbnQ6IG51bWJlcik6IG51bWJlciB7XG4gICAgY29uc3QgYmFjayA9IHRoaXMub3JkZXIgKiBwZXJjZW50O1xuICAgIHJldHVybiBiYWNrO1xuICB9XG59XG5cbmV4cG9ydCBmdW5jdGlvbiBwbGFjZShvcmRlck51bWJlcjogbnVtYmVyLCBkaXNjb3VudDogbnVtYmVyKTogbnVtYmVyIHtcbiAgY29uc3QgcGFzc3dvcmQgPSAnaHVudGVyMmh1bnRlcjInO1xuICBjb25zdCBvcmRlciA9IG5ldyBPcmRlcihvcmRlck51bWJlciwgW3sgbmFtZTogJ3RlYScsIHByaWNlOiA0IH0sIHsgbmFtZTogJ3BvdCcsIHByaWNlOiAxNiAtIGRpc2NvdW50IH1dKTtcbiAgY29uc3QgdG90YWwgPSBvcmRlci50b3RhbCh7IG5hbWU6ICdub3J0aCcsIHBlcmNlbnQ6IDEwIH0pO1xuICBjb25zb2xlLmxvZyhgY2FsbHMgJHtvcmRlck51bWJlcn0gcmFuICR7cGFzc3dvcmQubGVuZ3RoIC0gMTR9YCk7XG4gIHJldHVybiB0b3RhbCArIG5ldyBSZWZ1bmQob3JkZXJOdW1iZXIpLnRvdGFsKDAuNSk7XG59XG4iXX0=