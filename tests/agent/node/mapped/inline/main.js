"use strict";
Object.defineProperty(exports, "__esModule", { value: true });
const orders_1 = require("./orders");
let count = 0;
setInterval(() => {
    count += 1;
    (0, orders_1.place)(count, 2);
}, 20);
console.log('ready');
//# sourceMappingURL=data:application/json;base64,eyJ2ZXJzaW9uIjozLCJmaWxlIjoibWFpbi5qcyIsInNvdXJjZVJvb3QiOiIiLCJzb3VyY2VzIjpbIi4uL3NyYy9tYWluLnRzIl0sIm5hbWVzIjpbXSwibWFwcGluZ3MiOiI7O0FBQUEscUNBQWlDO0FBRWpDLElBQUksS0FBSyxHQUFHLENBQUMsQ0FBQztBQUNkLFdBQVcsQ0FBQyxHQUFHLEVBQUU7SUFDZixLQUFLLElBQUksQ0FBQyxDQUFDO0lBQ1gsSUFBQSxjQUFLLEVBQUMsS0FBSyxFQUFFLENBQUMsQ0FBQyxDQUFDO0FBQ2xCLENBQUMsRUFBRSxFQUFFLENBQUMsQ0FBQztBQUNQLE9BQU8sQ0FBQyxHQUFHLENBQUMsT0FBTyxDQUFDLENBQUMiLCJzb3VyY2VzQ29udGVudCI6WyJpbXBvcnQgeyBwbGFjZSB9IGZyb20gJy4vb3JkZXJzJztcblxubGV0IGNvdW50ID0gMDtcbnNldEludGVydmFsKCgpID0+IHtcbiAgY291bnQgKz0gMTtcbiAgcGxhY2UoY291bnQsIDIpO1xufSwgMjApO1xuY29uc29sZS5sb2coJ3JlYWR5Jyk7XG4iXX0=