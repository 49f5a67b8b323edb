"""spark-submit --py-files fill_one.py by_spark.py PHOTOS MASK RESULTS (pip install pyspark)."""

import sys
from pathlib import Path

from fill_one import fill_one
from pyspark.sql import SparkSession

photos, mask, results = sys.argv[1:4]
Path(results).mkdir(exist_ok=True)
spark = SparkSession.builder.getOrCreate()
names = spark.sparkContext.parallelize([str(photo) for photo in Path(photos).iterdir()], 200)
rows = names.map(lambda name: fill_one(name, mask, results))
spark.createDataFrame(rows.map(lambda row: (row["key"], row["status"]))).write.parquet("rows")
