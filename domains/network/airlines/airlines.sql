select carrier, name
from airlines_csv
