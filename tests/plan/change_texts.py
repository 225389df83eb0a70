"""The product whose changes are judged, as text."""

PRODUCT = """\
apiVersion: v1.1.0
kind: DataProduct
id: shop.sales
version: 1.0.0
status: active
description: {purpose: Sales.}
inputPorts:
  - name: orders_csv
    customProperties:
      - {property: source, vendor: dataops_mesh, value: {path: orders.csv}}
outputPorts:
  - {name: orders}
  - {name: refunds}
"""

ORDERS = """\
apiVersion: v3.2.0
kind: DataContract
id: shop.orders.contract
version: 1.2.3
status: active
description: {purpose: Orders.}
customProperties:
  - {property: visibility, vendor: dataops_mesh, value: [audit, finance]}
roles:
  - role: fraud
    access: read
    customProperties:
      - {property: unmasked, vendor: dataops_mesh, value: {members: [audit.cases, ana], columns: [phone]}}
schema:
  - name: orders
    properties:
      - {name: order_id, id: c1, logicalType: integer, physicalType: INTEGER, primaryKey: true}
      - {name: line, id: c2, logicalType: integer, physicalType: INTEGER, required: true}
      - name: amount
        id: c3
        logicalType: number
        physicalType: DECIMAL(18,4)
        required: true
        logicalTypeOptions: {minimum: 0, maximum: 1000}
      - {name: state, id: c4, logicalType: string, enum: [{value: new}, {value: paid}]}
      - name: email
        id: c5
        logicalType: string
        unique: true
        classification: restricted
        tags: [pii]
        logicalTypeOptions: {minLength: 3, maxLength: 80, pattern: "@"}
        customProperties:
          - {property: masking, value: hash}
        quality:
          - {id: email_known, metric: nullValues, mustBeLessThan: 5, unit: percent}
          - {id: email_note, metric: nullValues, mustBe: 0, severity: warning}
      - {name: sold_at, id: c6, logicalType: timestamp, logicalTypeOptions: {timezone: true}}
      - {name: note, id: c7, logicalType: string}
      - {name: phone, id: c8, logicalType: string, customProperties: [{property: masking, vendor: dataops_mesh, value: {method: constant, value: "-"}}]}
    quality:
      - {id: enough, metric: rowCount, mustBeGreaterThan: 10}
      - {id: sane, type: sql, query: "select count(*) from {object} where amount < 0", mustBe: 0}
slaProperties:
  - {property: freshness, value: 24, unit: h, element: orders.sold_at}
  - {property: retention, value: 2, unit: y}
  - {property: availability, value: 99}
  - {property: endOfLife, value: "2030-01-01"}
"""

EXPORT = "customProperties: [{property: export, vendor: dataops_mesh, value: true}]}"
FOLDER = f"servers:\n  - {{server: files, type: local, path: exports, format: csv, {EXPORT}\n"
EXPORTED = f"servers:\n  - {{server: files, type: local, path: old, format: csv, {EXPORT}\n"

REFUNDS = f"""\
apiVersion: v3.2.0
kind: DataContract
id: shop.refunds.contract
version: 1.0.0
{EXPORTED}schema:
  - name: refunds
    properties:
      - {{name: refund_id, logicalType: integer, primaryKey: true}}
      - {{name: day, logicalType: date, physicalType: DATE}}
"""
