select id, email, phone, born, country from passengers_csv
