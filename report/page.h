/* page.h - what the page of a report is made of besides figures: its theme and its script.
 */
#ifndef TSP_REPORT_PAGE_H
#define TSP_REPORT_PAGE_H

/* Colours by what they are for, from the Okabe-Ito palette; text carries every figure as well. */
static const char page_style[] =
    ":root{--ink:#1b1b1b;--quiet:#5c6370;--line:#dcdfe4;--paper:#fff;--use:#0072b2;--busy:#009e73;"
    "--r0:#56b4e9;--r1:#e69f00;--r2:#f0e442;--r3:#d55e00;--r4:#cc79a7;--r5:#c9ced6;--r6:#8a919c;"
    "--r7:#1b1b1b}\n"
    "*{box-sizing:border-box}\n"
    "body{font:13px/1.45 system-ui,sans-serif;color:var(--ink);background:var(--paper);"
    "max-width:1320px;margin:24px auto;padding:0 20px}\n"
    "h1{font-size:20px;font-weight:600;margin:0}h2{font-size:14px;font-weight:600;margin:28px 0 "
    "6px;"
    "border-bottom:1px solid var(--line);padding-bottom:3px}\n"
    "p{margin:4px 0;color:var(--quiet)}\n"
    ".figures{display:flex;flex-wrap:wrap;gap:6px 28px;margin:10px 0}.figures "
    "div{color:var(--quiet)}"
    ".figures b{display:block;font-size:18px;font-weight:600;color:var(--ink);"
    "font-variant-numeric:tabular-nums}\n"
    "table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums}"
    "th{text-align:left;font-weight:600;color:var(--quiet);border-bottom:1px solid var(--line)}"
    "th,td{padding:2px 10px 2px 0;vertical-align:top}tbody tr:hover{background:#f4f6f8}"
    ".n{text-align:right;white-space:nowrap}th button{all:unset;cursor:pointer}"
    "th button:focus-visible{outline:2px solid var(--use)}\n"
    "svg{display:block;width:100%}svg text{font:10px system-ui,sans-serif;fill:var(--quiet)}"
    "i{display:inline-block;width:10px;height:10px;margin-right:6px;border:1px solid #0003}\n"
    ".when{width:150px}.when i{display:block;height:9px;margin-top:5px;border:0;min-width:1px;"
    "background:var(--use)}\n"
    "@media print{body{margin:0;max-width:none;font-size:10px}h2{break-after:avoid}"
    "tr,svg{break-inside:avoid}*{print-color-adjust:exact;-webkit-print-color-adjust:exact}}\n";

/* Makes the heads of tables sort; without it everything can be read as it is. */
static const char page_script[] =
    "document.querySelectorAll('table.sort').forEach(function(t){"
    "t.querySelectorAll('th').forEach(function(h,c){var b=document.createElement('button');"
    "b.textContent=h.textContent;h.textContent='';h.appendChild(b);var up=false;"
    "b.onclick=function(){var r=Array.from(t.tBodies[0].rows);up=!up;"
    "t.querySelectorAll('th').forEach(function(o){o.removeAttribute('aria-sort')});"
    "h.setAttribute('aria-sort',up?'ascending':'descending');"
    "r.sort(function(a,b){var x=a.cells[c].textContent,y=b.cells[c].textContent,"
    "d=parseFloat(x)-parseFloat(y);if(isNaN(d))d=x<y?-1:x>y?1:0;return up?d:-d});"
    "r.forEach(function(e){t.tBodies[0].appendChild(e)})}})});";

#endif
