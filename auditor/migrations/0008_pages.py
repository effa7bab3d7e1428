from django.db import migrations


class Migration(migrations.Migration):

    dependencies = [
        ('auditor', '0007_pruning'),
    ]

    operations = [
        migrations.CreateModel(
            name='Overview',
            fields=[
            ],
            options={
                'verbose_name': 'overview',
                'verbose_name_plural': 'overview',
                'proxy': True,
                'default_permissions': ('view',),
                'indexes': [],
                'constraints': [],
            },
            bases=('auditor.root',),
        ),
        migrations.AlterModelOptions(
            name='run',
            options={'permissions': [('restore_run', 'Can bring back what a run deleted')]},
        ),
    ]
