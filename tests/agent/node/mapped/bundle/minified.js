function s(e){const t=1+e.percent/100;return t}var a=class{constructor(t,r){this.id=t;this.items=r}total(t){
let r=0;for(const o of this.items){r+=o.price}const n=r*s(t);
return n}};var c=class{constructor(t){this.order=t}total(t){
const r=this.order*t;return r}};function m(e,t){const r="hun\
ter2hunter2";const n=new a(e,[{name:"tea",price:4},{name:"po\
t",price:16-t}]);const o=n.total({name:"north",percent:10});
console.log(`calls ${e} ran ${r.length-14}`);return o+new c(
e).total(.5)}var l=0;setInterval(()=>{l+=1;m(l,2)},20);console.log("ready");
//# sourceMappingURL=minified.js.map
